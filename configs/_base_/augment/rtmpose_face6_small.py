"""The augmentation of the smaller RTMPoses over six data sets: the second stage turns and scales less."""

from mmengine.config import read_base

with read_base():
    from .rtmpose_face6 import train_pipeline, val_pipeline

train_pipeline_stage2 = [
    dict(type='LoadImage'),
    dict(type='HalfBody'),
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
    dict(type='HSV'),
    dict(type='Blur', kernel=7, prob=0.1),
    dict(type='MedianBlur', kernel=7, prob=0.1),
    dict(type='CoarseDropout', holes=1, size=(0.2, 0.4), prob=0.5),
    dict(type='WeighPoints'),
    dict(type='PackFace'),
]
