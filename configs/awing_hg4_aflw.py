"""Adaptive Wing: four hourglasses with CoordConv and a boundary map on AFLW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.awing import *
    from ._base_.data.aflw import *
    from ._base_.models.awing_hg4 import *
    from ._base_.runtime import *
    from ._base_.schedules.awing_240e import *

model.update(markup='aflw')
train_dataloader.update(batch_size=8)

result = dict(
    source='the paper',
    protocol='NME over the box size of the file in %, box of the file, no flip test, best epoch on the test set',
    NME=dict(full=1.53, frontal=1.38),
    bibtex=['awing', 'aflw'],
)
