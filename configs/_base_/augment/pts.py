"""A moderate augmentation for a small data set of your own; crops of 256 pixels."""

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='CropFace', size=256, flip=0.5, rotate=50, scale=(0.85, 1.15), shift=0.08),
    dict(type='Blur'),
    dict(type='Noise'),
    dict(type='Occlude'),
    dict(type='PackFace'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')]
