"""RTMPose's augmentation on WFLW and COCO-WholeBody; the second stage, without shift, turns, scales and hides less."""

crop = dict(type='CropFace', size=256, flip=0.5, rotate_prob=0.6, draw='truncnorm', mirror='photo')
colours = [dict(type='HSV'), dict(type='Blur', kernel=7, prob=0.1), dict(type='MedianBlur', kernel=7, prob=0.1)]
train_pipeline = [
    dict(type='LoadImage'),
    dict(crop, rotate=80, scale=(0.6, 1.4), shift=0.16, shift_prob=0.3),
    *colours,
    dict(type='CoarseDropout', holes=1, size=(0.2, 0.4), prob=1.0),
    dict(type='PackFace'),
]
train_pipeline_stage2 = [
    dict(type='LoadImage'),
    dict(crop, rotate=60, scale=(0.75, 1.25)),
    *colours,
    dict(type='CoarseDropout', holes=1, size=(0.2, 0.4), prob=0.5),
    dict(type='PackFace'),
]
val_pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')]
del crop, colours
