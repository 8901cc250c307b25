"""Quick start: a small network with integral heatmaps, trained on drawn faces alone."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.synthetic import *
    from ._base_.data.synthetic import *
    from ._base_.runtime import *

model = dict(
    type='facelmk.FaceLandmarker',
    backbone=dict(type='QuickNet'),
    head=dict(type='HeatmapHead'),
    codec=dict(type='Integral'),
    loss=dict(type='IntegralLoss'),
    flip_test=True,
)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.01))
train_cfg = dict(by_epoch=True, max_epochs=6, val_interval=2)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=80),
    dict(type='CosineAnnealingLR', T_max=train_cfg['max_epochs'], eta_min=1e-5, convert_to_iter_based=True),
]
default_hooks['logger'].update(interval=25)
default_hooks['checkpoint'].update(interval=2, max_keep_ckpts=1)
result = dict(bibtex=['integral'])
