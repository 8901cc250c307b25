"""Drawn faces with 98 points: 8,000 to train on, 1,000 others to test, six subsets; nothing is downloaded."""

train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    dataset=dict(
        type='SyntheticFaces',
        markup='wflw',
        count=8000,
        seed=0,
        size=160,
        cache='.cache/synthetic',
        pipeline=[
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
        ],
    ),
)
val_dataloader = dict(
    batch_size=100,
    num_workers=1,
    dataset=dict(
        type='SyntheticFaces',
        markup='wflw',
        count=1000,
        seed=1,
        size=160,
        cache='.cache/synthetic',
        pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=112), dict(type='PackFace')],
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
