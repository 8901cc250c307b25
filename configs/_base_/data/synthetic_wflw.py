"""Drawn faces in WFLW's numbers: 98 points, 7,500 to train on, 2,500 others to test, six subsets; nothing is downloaded."""

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    dataset=dict(
        type='SyntheticFaces',
        markup='wflw',
        count=7500,
        seed=98,
        size=256,
        cache='.cache/synthetic',
        pipeline=[
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
        ],
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    dataset=dict(
        type='SyntheticFaces',
        markup='wflw',
        count=2500,
        seed=99,
        size=256,
        cache='.cache/synthetic',
        pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')],
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
