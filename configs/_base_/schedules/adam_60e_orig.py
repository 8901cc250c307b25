"""60 epochs of Adam at 1e-4 for batches of 16, steps at 30 and 50, as the original HRNet for faces trains.

`orig_crop` is its augmentation and `orig_metrics` its figures; a row gives them to its data and drops the names.
"""

optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[30, 50], gamma=0.1, by_epoch=True)]
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=1)
orig_crop = dict(
    type='CropFace', size=256, flip=0.5, rotate=30, rotate_prob=0.6, scale=(0.75, 1.25), mirror='hrnet', integer=True
)
orig_metrics = [
    dict(type='NME', average='face'),
    dict(type='FailureRate', threshold=0.08),
    dict(type='FailureRate', threshold=0.1),
    dict(type='AUC', threshold=0.1),
]
