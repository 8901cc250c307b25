"""Adaptive Wing: four hourglasses with CoordConv and a boundary map on WFLW."""
from mmengine.config import read_base

with read_base():
    from ._base_.data.wflw import *
    from ._base_.models.awing_hg4 import *
    from ._base_.runtime import *
    from ._base_.schedules.awing_240e import *

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
    source='AdaptiveWingLoss, with the tight box as here (with the rectangle of the WFLW lists 4.36, FR 2.84, AUC 57.19)',
    protocol='inter-ocular NME in %, no flip test, tight box of the landmarks, best epoch on the test set',
    NME=dict(test=4.21, pose=7.21, illumination=4.23, occlusion=4.99, blur=4.82, makeup=4.02, expression=4.46),
    FR=dict(test=2.04), AUC=dict(test=58.95),
    checkpoint_page='https://drive.google.com/file/d/1HZaSjLoorQ4QCEx7PRTxOmg0bBPYSqhH/view',
    bibtex=['awing', 'wflw'])
