"""DLA-34 heatmaps with the weighted Adaptive Wing loss on WFLW."""

from mmengine.config import read_base

with read_base():
    from .unet_wflw_awing import *

model.backbone = dict(type='DLA', depth=34, pretrained='dla://dla34')

result = dict(bibtex=['dla', 'awing', 'dark', 'wflw'])
