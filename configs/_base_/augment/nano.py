"""Augmentation of the small networks; the second stage changes colours and pixels less. Crops of 112 pixels."""

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='ShareLandmarks'),
    dict(type='CropFace', size=112, flip=0.5, rotate=20, scale=(0.85, 1.2), shift=0.06),
    dict(type='ColourJitter'),
    dict(type='Grey'),
    dict(type='Blur'),
    dict(type='Shrink'),
    dict(type='Noise'),
    dict(type='Jpeg'),
    dict(type='Occlude'),
    dict(type='PackFace'),
]
train_pipeline_stage2 = [
    dict(type='LoadImage'),
    dict(type='ShareLandmarks'),
    dict(type='CropFace', size=112, flip=0.5, rotate=12, scale=(0.9, 1.12), shift=0.04),
    dict(type='ColourJitter', prob=0.6),
    dict(type='Grey', prob=0.05),
    dict(type='Blur', sigma=1.2, prob=0.1),
    dict(type='Shrink', factor=2.5, prob=0.1),
    dict(type='Noise', prob=0.1),
    dict(type='Jpeg', prob=0.1),
    dict(type='Occlude', share=0.25, prob=0.1),
    dict(type='PackFace'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=112), dict(type='PackFace')]
