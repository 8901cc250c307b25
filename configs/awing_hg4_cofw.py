"""Adaptive Wing: four hourglasses with CoordConv and a boundary map on COFW."""

from mmengine.config import read_base

with read_base():
    from ._base_.data.cofw import *
    from ._base_.models.awing_hg4 import *
    from ._base_.runtime import *
    from ._base_.schedules.awing_240e import *
    from ._base_.schedules.awing_240e import awing_pipeline, awing_pupils

model.update(markup='cofw')
train_dataloader.update(batch_size=8)
train_dataloader.dataset.pipeline = awing_pipeline
val_dataloader.dataset.pipeline[1].update(padding=awing_pipeline[1]['padding'])
val_evaluator += awing_pupils
del awing_pipeline, awing_pupils

result = dict(
    source='the paper',
    protocol='inter-pupil NME and failures in %, box of the file, no flip test, best epoch on the test set',
    inter_pupil=dict(test=4.94),
    FR=dict(test=0.99),
    bibtex=['awing', 'cofw'],
)
