"""Nine points, every part of this project's own."""

from mmengine.config import read_base

with read_base():
    from facelmk.configs._base_.runtime import *

custom_imports = dict(imports=['nine'])
crop = dict(type='CropFace', size=64)
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type='StrokeFaces',
        count=64,
        pipeline=[crop | dict(flip=0.5, rotate=20), dict(type='Dusk'), dict(type='PackFace')],
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(type='StrokeFaces', count=20, seed=1, pipeline=[crop, dict(type='PackFace')]),
)
val_evaluator = [dict(type='NME'), dict(type='WorstFace')]
model = dict(
    type='facelmk.FaceLandmarker',
    markup='nine',
    backbone=dict(type='TwoConvs', width=16),
    head=dict(type='FlatHead'),
    codec=dict(type='FromMiddle'),
    loss=dict(type='FarLoss'),
    flip_test=True,
)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=6e-3))
param_scheduler = dict(type='OneCycleLR', eta_max=6e-3, total_steps=6, by_epoch=True, convert_to_iter_based=True)
train_cfg = dict(by_epoch=True, max_epochs=6, val_interval=3)
default_hooks.checkpoint.update(interval=3)
custom_hooks = [dict(type='CountFaces')]
del crop
