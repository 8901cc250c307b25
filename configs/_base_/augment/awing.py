"""Adaptive Wing's augmentation. The official crop is 0.64 (w + h) of a rectangle that is a twentieth wider than ours."""

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='CropFace', size=256, padding=1.34, flip=0.5, rotate=50, scale=(0.85, 1.15), shift=0.1),
    dict(type='Blur'),
    dict(type='Noise'),
    dict(type='Occlude'),
    dict(type='PackFace'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=256, padding=1.34), dict(type='PackFace')]
