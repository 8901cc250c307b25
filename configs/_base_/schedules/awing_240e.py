"""240 epochs of RMSprop at 1e-4 for batches of 8, steps at 80 and 160, as Adaptive Wing's paper trains.

`awing_pipeline` is its augmentation and `awing_pupils` its second normaliser; a row gives them to its data and drops the
names. The repository that others train with (SeungyounShin's) has 1e-6 and steps at 60 and 120 instead:
`--cfg-options optim_wrapper.optimizer.lr=1e-6 param_scheduler.0.milestones=[60,120]`.
"""

optim_wrapper = dict(optimizer=dict(type='RMSprop', lr=1e-4, weight_decay=1e-5))
param_scheduler = [dict(type='MultiStepLR', milestones=[80, 160], gamma=0.1, by_epoch=True)]
train_cfg = dict(by_epoch=True, max_epochs=240, val_interval=1)
awing_pipeline = [  # the official crop is .64 (w + h) of a rectangle, a twentieth wider
    dict(type='LoadImage'),
    dict(type='CropFace', size=256, padding=1.34, flip=0.5, rotate=50, scale=(0.85, 1.15), shift=0.1),
    dict(type='Blur'),
    dict(type='Noise'),
    dict(type='Occlude'),
    dict(type='PackFace'),
]
awing_pupils = [
    dict(type='NME', norm='inter_pupil', prefix='inter_pupil'),
    dict(type='FailureRate', threshold=0.1, norm='inter_pupil', prefix='inter_pupil'),
]
