"""HRNetV2-W18 heatmaps with Adaptive Wing loss and integral regression together on WFLW, on the aligned grid."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_wflw import *

model.codec = dict(type='Heatmap', refine='dark')
model.loss = [
    dict(loss=dict(type='AdaptiveWingLoss', weight_map=dict(threshold=0.2, weight=10, dilation=3))),
    dict(loss=dict(type='SoftArgmaxL1Loss'), weight=0.1),
]

result = dict(bibtex=['hrnet', 'awing', 'integral', 'dark', 'wflw'])
