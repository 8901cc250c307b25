"""HRNetV2-W18 heatmaps with DARK decoding on COFW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose import *
    from ._base_.data.cofw import *
    from ._base_.models.hrnetv2_w18 import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e import *

model.update(markup='cofw')
model.codec.update(centre='exact', refine='dark')

result = dict(bibtex=['hrnet', 'dark', 'cofw'])
