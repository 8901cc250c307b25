"""MMPose's augmentation for heatmaps: mirror, turn by up to 60 degrees, scale by a quarter. Crops of 256 pixels."""

train_pipeline = [
    dict(type='LoadImage'),
    dict(
        type='CropFace',
        size=256,
        flip=0.5,
        rotate=60,
        rotate_prob=0.6,
        scale=(0.75, 1.25),
        draw='truncnorm',
        mirror='photo',
    ),
    dict(type='PackFace'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')]
