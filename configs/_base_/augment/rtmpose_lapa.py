"""RTMPose's augmentation on LaPa: half faces and photometric changes in the first stage; the second as on WFLW."""

from mmengine.config import read_base

with read_base():
    from .rtmpose import train_pipeline_stage2, val_pipeline

train_pipeline = [
    dict(type='LoadImage'),
    dict(type='HalfBody'),
    dict(
        type='CropFace',
        size=256,
        flip=0.5,
        rotate=80,
        rotate_prob=0.6,
        scale=(0.5, 1.5),
        draw='truncnorm',
        mirror='photo',
        shift=0.16,
        shift_prob=0.3,
    ),
    dict(type='HSV'),
    dict(type='Photometric'),
    dict(type='Blur', kernel=7, prob=0.2),
    dict(type='MedianBlur', kernel=7, prob=0.2),
    dict(type='CoarseDropout', holes=1, size=(0.2, 0.4), prob=1.0),
    dict(type='PackFace'),
]
