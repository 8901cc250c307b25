"""Augmentation of scenes of 192 pixels; the scenes have blur, noise and compression before."""

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='FitScene', size=192, scale=(0.8, 1.6), flip=0.5),
    dict(type='ColourJitter', prob=0.5),
    dict(type='PackScene'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='FitScene', size=192), dict(type='PackScene')]
