"""Adaptive Wing's network with one hourglass on WFLW, at a quarter of the cost."""

from mmengine.config import read_base

with read_base():
    from .awing_hg4_wflw import *

model.backbone.update(stacks=1)

result = dict(bibtex=['awing', 'wflw'])
