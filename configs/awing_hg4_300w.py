"""Adaptive Wing: four hourglasses with CoordConv and a boundary map on 300W."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.awing import *
    from ._base_.data.w300 import *
    from ._base_.metrics.inter_pupil import *
    from ._base_.models.awing_hg4 import *
    from ._base_.runtime import *
    from ._base_.schedules.awing_240e import *

model.update(markup='300w')
train_dataloader.update(batch_size=8)

result = dict(
    source='the paper',
    protocol='inter-ocular and inter-pupil NME in %, box from a detector, no flip test, best epoch on the test set',
    NME=dict(common=2.72, challenge=4.52, full=3.07),
    inter_pupil=dict(common=3.77, challenge=6.52, full=4.31),
    bibtex=['awing', '300w'],
)
