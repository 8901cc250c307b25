"""HRNetV2-W18 heatmaps with mean squared error on COCO-WholeBody-Face."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose_shift import *
    from ._base_.data.coco_wholebody_face import *
    from ._base_.models.hrnetv2_w18 import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e import *

model.update(markup='coco_wholebody_face')
auto_scale_lr.update(base_batch_size=256)

result = dict(
    source='MMPose 1.x, there as 0.0569',
    protocol=protocols.mmpose,
    NME=dict(test=5.69),
    checkpoint='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_coco_wholebody_face_256x256-c1ca469b_20210909.pth',
    log='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_coco_wholebody_face_256x256_20210909.log.json',
    bibtex=['hrnet', 'coco_wholebody'],
)
