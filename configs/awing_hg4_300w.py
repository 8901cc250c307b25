"""Adaptive Wing: four hourglasses with CoordConv and a boundary map on 300W."""
from mmengine.config import read_base

with read_base():
    from ._base_.data.w300 import *
    from ._base_.models.awing_hg4 import *
    from ._base_.runtime import *
    from ._base_.schedules.awing_240e import *

model.update(markup='300w')
train_dataloader.update(batch_size=8)
train_dataloader.dataset.pipeline = [  # the official crop is .64 (w + h) of a rectangle, a twentieth wider
    dict(type='LoadImage'),
    dict(type='CropFace', size=256, padding=1.34, flip=.5, rotate=50, scale=(.85, 1.15), shift=.1),
    dict(type='Blur'), dict(type='Noise'), dict(type='Occlude'), dict(type='PackFace')]
val_dataloader.dataset.pipeline[1].update(padding=1.34)
val_evaluator += [
    dict(type='NME', norm='inter_pupil', prefix='inter_pupil'),
    dict(type='FailureRate', threshold=.1, norm='inter_pupil', prefix='inter_pupil')]

result = dict(
    source='the paper',
    protocol='inter-ocular and inter-pupil NME in %, box from a detector, no flip test, best epoch on the test set',
    NME=dict(common=2.72, challenge=4.52, full=3.07), inter_pupil=dict(common=3.77, challenge=6.52, full=4.31),
    bibtex=['awing', '300w'])
