"""RTMPose's augmentation over six data sets: half faces, and landmarks that weigh more; both stages are strong."""

crop = dict(type='CropFace', size=256, flip=0.5, rotate_prob=0.6, draw='truncnorm', mirror='photo')
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='HalfBody'),
    dict(crop, rotate=80, scale=(0.5, 1.5), shift=0.16, shift_prob=0.3),
    dict(type='HSV'),
    dict(type='Blur', kernel=7, prob=0.2),
    dict(type='MedianBlur', kernel=7, prob=0.2),
    dict(type='CoarseDropout', holes=1, size=(0.2, 0.4), prob=1.0),
    dict(type='WeighPoints'),
    dict(type='PackFace'),
]
train_pipeline_stage2 = [
    dict(type='LoadImage'),
    dict(type='HalfBody'),
    dict(crop, rotate=80, scale=(0.5, 1.5)),
    dict(type='HSV'),
    dict(type='Blur', kernel=7, prob=0.1),
    dict(type='MedianBlur', kernel=7, prob=0.1),
    dict(type='CoarseDropout', holes=1, size=(0.2, 0.4), prob=0.5),
    dict(type='WeighPoints'),
    dict(type='PackFace'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')]
del crop
