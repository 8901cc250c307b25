"""RTMPose-m on COCO-WholeBody-Face."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.rtmpose import *
    from ._base_.data.coco_wholebody_face import *
    from ._base_.models.rtmpose_m import *
    from ._base_.runtime import *
    from ._base_.schedules.rtmpose_60e import *

model.update(markup='coco_wholebody_face')
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=1)

result = dict(
    source='MMPose 1.x, there as 0.0466',
    protocol=protocols.mmpose,
    NME=dict(test=4.66),
    checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-coco-wholebody-face_pt-aic-coco_60e-256x256-62026ef2_20230228.pth',
    log='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-coco-wholebody-face_pt-aic-coco_60e-256x256-62026ef2_20230228.json',
    bibtex=['rtmpose', 'rtmdet', 'coco_wholebody'],
)
