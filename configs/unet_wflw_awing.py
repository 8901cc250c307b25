"""U-Net heatmaps with the weighted Adaptive Wing loss on WFLW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose import *
    from ._base_.data.wflw import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e import *

model = dict(
    type='facelmk.FaceLandmarker',
    backbone=dict(type='UNet'),
    head=dict(type='HeatmapHead'),
    codec=dict(type='Heatmap', refine='dark'),
    loss=dict(type='AdaptiveWingLoss', weight_map=dict(threshold=0.2, weight=10, dilation=3)),
    flip_test=True,
)

result = dict(bibtex=['unet', 'awing', 'dark', 'wflw'])
