"""HRNetV2-W18 heatmaps with mean squared error on WFLW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose import *
    from ._base_.data.wflw import *
    from ._base_.models.hrnetv2_w18 import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e import *

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose,
    NME=dict(test=4.06, pose=6.97, illumination=3.99, occlusion=4.83, blur=4.58, makeup=3.94, expression=4.33),
    checkpoint='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_wflw_256x256-2bf032a6_20210125.pth',
    log='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_wflw_256x256_20210125.log.json',
    bibtex=['hrnet', 'wflw'],
)
