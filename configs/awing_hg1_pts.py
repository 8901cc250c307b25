"""Adaptive Wing with one hourglass on your own pictures with .pts files beside them."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.pts import *
    from ._base_.data.pts import *
    from ._base_.runtime import *

model = dict(
    type='facelmk.FaceLandmarker',
    markup='300w',
    backbone=dict(type='StackedHourglass', stacks=1),
    head=dict(type='StackHead'),
    codec=dict(type='Boundary', sigma=1.5),
    loss=dict(type='AdaptiveWingLoss', weight_map=dict(threshold=0.2, weight=10, dilation=3)),
    mean=(0, 0, 0),
    std=(255, 255, 255),
    flip_test=True,
)
optim_wrapper = dict(optimizer=dict(type='RMSprop', lr=1e-4, weight_decay=1e-5))
param_scheduler = [dict(type='MultiStepLR', milestones=[40, 55], gamma=0.1, by_epoch=True)]
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=1)
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=2)

result = dict(bibtex=['awing'])
