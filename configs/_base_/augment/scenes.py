"""Augmentation of scenes, in crops of 160 pixels. `ComposedScenes` has already added blur, noise and compression."""

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='FitScene', size=160, scale=(0.85, 1.6), flip=0.5),
    dict(type='ColourJitter', prob=0.5),
    dict(type='PackScene'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='FitScene', size=160), dict(type='PackScene')]
