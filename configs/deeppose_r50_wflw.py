"""DeepPose: ResNet-50 regression with smooth L1 loss on WFLW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose_shift import *
    from ._base_.data.wflw import *
    from ._base_.models.deeppose_r50 import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_210e import *


result = dict(
    source='MMPose 0.x (1.x, whose flip is exact: 4.88)',
    protocol=protocols.mmpose0,
    NME=dict(test=4.85, pose=8.50, illumination=4.81, occlusion=5.69, blur=5.45, makeup=4.82, expression=5.20),
    checkpoint='https://download.openmmlab.com/mmpose/face/deeppose/deeppose_res50_wflw_256x256-92d0ba7f_20210303.pth',
    log='https://download.openmmlab.com/mmpose/face/deeppose/deeppose_res50_wflw_256x256_20210303.log.json',
    bibtex=['deeppose', 'resnet', 'wflw'],
)
