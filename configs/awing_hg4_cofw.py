"""Adaptive Wing: four hourglasses with CoordConv and a boundary map on COFW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.awing import *
    from ._base_.data.cofw import *
    from ._base_.metrics.inter_pupil import *
    from ._base_.models.awing_hg4 import *
    from ._base_.runtime import *
    from ._base_.schedules.awing_240e import *

model.update(markup='cofw')
train_dataloader.update(batch_size=8)

result = dict(
    source='the paper',
    protocol='inter-pupil NME and failures in %, box of the file, no flip test, best epoch on the test set',
    inter_pupil=dict(test=4.94),
    FR=dict(test=0.99),
    bibtex=['awing', 'cofw'],
)
