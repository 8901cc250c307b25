"""HRNetV2-W18 heatmaps with DARK decoding on AFLW."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_aflw import *

model.codec.update(centre='exact', refine='dark')

result = dict(
    source='MMPose 1.x (its metafile says 1.34 for full)',
    protocol=protocols.mmpose_aflw,
    NME=dict(full=1.35, frontal=1.19),
    checkpoint='https://download.openmmlab.com/mmpose/face/darkpose/hrnetv2_w18_aflw_256x256_dark-219606c0_20210125.pth',
    log='https://download.openmmlab.com/mmpose/face/darkpose/hrnetv2_w18_aflw_256x256_dark_20210125.log.json',
    bibtex=['hrnet', 'dark', 'aflw'],
)
