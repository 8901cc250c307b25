"""DeepPose: ResNet-50 regression with SoftWing loss on WFLW."""

from mmengine.config import read_base

with read_base():
    from .deeppose_r50_wflw import *

model.loss = dict(type='SoftWingLoss')

result = dict(
    source='MMPose 0.x (1.x, whose flip is exact: 4.44)',
    protocol=protocols.mmpose0,
    NME=dict(test=4.41, pose=7.77, illumination=4.37, occlusion=5.27, blur=5.01, makeup=4.36, expression=4.70),
    checkpoint='https://download.openmmlab.com/mmpose/face/deeppose/deeppose_res50_wflw_256x256_softwingloss-4d34f22a_20211212.pth',
    log='https://download.openmmlab.com/mmpose/face/deeppose/deeppose_res50_wflw_256x256_softwingloss_20211212.log.json',
    bibtex=['deeppose', 'resnet', 'softwing', 'wflw'],
)
