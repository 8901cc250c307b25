"""HRNetV2-W18 heatmaps with DARK decoding on WFLW."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_wflw import *

model.codec.update(centre='exact', refine='dark')

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose,
    NME=dict(test=3.98, pose=6.98, illumination=3.96, occlusion=4.78, blur=4.56, makeup=3.89, expression=4.29),
    checkpoint='https://download.openmmlab.com/mmpose/face/darkpose/hrnetv2_w18_wflw_256x256_dark-3f8e0c2c_20210125.pth',
    log='https://download.openmmlab.com/mmpose/face/darkpose/hrnetv2_w18_wflw_256x256_dark_20210125.log.json',
    bibtex=['hrnet', 'dark', 'wflw'],
)
