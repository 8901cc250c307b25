"""HRNetV2-W18 heatmaps with mean squared error on 300W-LP, in batches of 2."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose import *
    from ._base_.data.w300lp import *
    from ._base_.models.hrnetv2_w18 import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e import *

model.update(markup='300wlp')
model.codec.update(sigma=1.5)
default_hooks['checkpoint'].update(interval=1)

result = dict(
    source='MMPose 1.x, there as 0.0413 and 0.04125',
    protocol=protocols.mmpose_val,
    NME=dict(full=4.13, test=4.125),
    checkpoint='https://download.openmmlab.com/mmpose/v1/face_2d_keypoint/topdown_heatmap/300wlp/hrnetv2_w18_300wlp_256x256-fb433d21_20230922.pth',
    log='https://download.openmmlab.com/mmpose/v1/face_2d_keypoint/topdown_heatmap/300wlp/hrnetv2_w18_300wlp_256x256-fb433d21_20230922.json',
    bibtex=['hrnet', '300wlp'],
)
