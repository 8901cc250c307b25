"""The original HRNet's augmentation for faces: mirror, turn by up to 30 degrees, scale; crops in whole pixels."""

crop = dict(type='CropFace', size=256, integer=True)
train_pipeline = [
    dict(type='LoadImage'),
    dict(crop, flip=0.5, rotate=30, rotate_prob=0.6, scale=(0.75, 1.25), mirror='hrnet'),
    dict(type='PackFace'),
]
val_pipeline = [dict(type='LoadImage'), crop, dict(type='PackFace')]
del crop
