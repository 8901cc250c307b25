"""HRNetV2-W18 heatmaps with focal loss on WFLW, on the aligned grid."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_wflw import *

model.codec = dict(type='Heatmap')
model.loss = dict(type='FocalHeatmapLoss')

result = dict(bibtex=['hrnet', 'cornernet', 'wflw'])
