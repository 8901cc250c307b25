"""HRNetV2-W18 heatmaps with Adaptive Wing loss on WFLW."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_wflw import *

model.loss = dict(type='AdaptiveWingLoss')

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose,
    NME=dict(test=4.02, pose=6.94, illumination=3.97, occlusion=4.78, blur=4.59, makeup=3.87, expression=4.28),
    checkpoint='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_wflw_256x256_awing-5af5055c_20211212.pth',
    log='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_wflw_256x256_awing_20211212.log.json',
    bibtex=['hrnet', 'awing', 'wflw'],
)
