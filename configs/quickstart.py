"""Quick start: a small network that gives coordinates, trained on drawn faces alone."""
from mmengine.config import read_base

with read_base():
    from ._base_.data.synthetic import *
    from ._base_.runtime import *

model = dict(
    type='facelmk.FaceLandmarker',
    backbone=dict(type='QuickNet'),
    head=dict(type='IntegralHead'),
    codec=dict(type='Coordinates'),
    loss=dict(type='L1Loss'),
    flip_test=True)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=3e-3, weight_decay=.01))
param_scheduler = dict(type='OneCycleLR', eta_max=3e-3, total_steps=5, by_epoch=True, convert_to_iter_based=True)
train_cfg = dict(by_epoch=True, max_epochs=5, val_interval=1)
default_hooks.checkpoint.update(interval=1, max_keep_ckpts=1)
