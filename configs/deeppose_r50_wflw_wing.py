"""DeepPose: ResNet-50 regression with Wing loss on WFLW."""

from mmengine.config import read_base

with read_base():
    from .deeppose_r50_wflw import *

model.loss = dict(type='WingLoss')

result = dict(
    source='MMPose 0.x (1.x, whose flip is exact: 4.67)',
    protocol=protocols.mmpose0,
    NME=dict(test=4.64, pose=8.25, illumination=4.59, occlusion=5.56, blur=5.26, makeup=4.59, expression=5.07),
    checkpoint='https://download.openmmlab.com/mmpose/face/deeppose/deeppose_res50_wflw_256x256_wingloss-f82a5e53_20210303.pth',
    log='https://download.openmmlab.com/mmpose/face/deeppose/deeppose_res50_wflw_256x256_wingloss_20210303.log.json',
    bibtex=['deeppose', 'resnet', 'wing', 'wflw'],
)
