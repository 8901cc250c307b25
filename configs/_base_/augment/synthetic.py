"""Augmentation that makes drawn faces more like photographs: colour, blur, noise, compression; crops of 112 pixels."""

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='CropFace', size=112, flip=0.5, rotate=25, scale=(0.85, 1.2), shift=0.06),
    dict(type='ColourJitter'),
    dict(type='Grey'),
    dict(type='Blur'),
    dict(type='Shrink'),
    dict(type='Noise'),
    dict(type='Jpeg'),
    dict(type='Occlude'),
    dict(type='PackFace'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=112), dict(type='PackFace')]
