"""ResNet-50 with three deconvolutions and heatmaps on AFLW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose import *
    from ._base_.data.aflw import *
    from ._base_.models.res50 import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e import *

model.update(markup='aflw')

result = dict(bibtex=['simple_baselines', 'resnet', 'aflw'])
