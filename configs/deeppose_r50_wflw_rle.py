"""DeepPose: ResNet-50 regression by likelihood (RLE) on WFLW; the scores are learnt."""

from mmengine.config import read_base

with read_base():
    from .deeppose_r50_wflw import *

model.head = dict(type='RLEHead')
model.codec = dict(type='RLE')
model.loss = dict(type='RLELoss')

result = dict(bibtex=['deeppose', 'resnet', 'rle', 'wflw'])
