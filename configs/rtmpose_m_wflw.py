"""RTMPose-m on WFLW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.rtmpose import *
    from ._base_.data.wflw import *
    from ._base_.models.rtmpose_m import *
    from ._base_.runtime import *
    from ._base_.schedules.rtmpose_60e import *

default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=1)

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose,
    NME=dict(test=4.01),
    checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-wflw_pt-aic-coco_60e-256x256-dc1dcdcf_20230228.pth',
    log='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-wflw_pt-aic-coco_60e-256x256-dc1dcdcf_20230228.json',
    bibtex=['rtmpose', 'rtmdet', 'wflw'],
)
