"""LaPa: 106 points, 18,000 faces and more to train on, 2,000 to choose the epoch by, 2,000 others to test."""

layouts = [
    dict(type='CocoFaces', ann_file='annotations/lapa_{split}.json', image_root=''),
    dict(type='LapaTxt', ann_file='{split}/landmarks', image_root='{split}/images'),
]
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    dataset=dict(
        type='PublishedFaces',
        root='data/LaPa',
        split='train',
        markup='lapa',
        layouts=layouts,
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
        type='PublishedFaces',
        root='data/LaPa',
        split='val',
        markup='lapa',
        layouts=layouts,
        counts=dict(val=2000),
        pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')],
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=2,
    dataset=dict(
        type='PublishedFaces',
        root='data/LaPa',
        split='test',
        markup='lapa',
        layouts=layouts,
        counts=dict(test=2000),
        pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')],
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del layouts
