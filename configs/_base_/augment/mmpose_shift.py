"""MMPose's augmentation with a shift of the box by up to 16 %."""

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
        shift=0.16,
        shift_prob=0.3,
    ),
    dict(type='PackFace'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')]
