"""COFW: 29 points, 1,345 faces to train on, 507 to test, many of them occluded."""

layouts = [
    dict(type='CocoFaces', ann_file='annotations/cofw_{split}.json', image_root='images'),
    dict(type='CofwMat', ann_file='COFW_{split}_color.mat', origin=1),
]
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    dataset=dict(
        type='PublishedFaces',
        root='data/cofw',
        split='train',
        markup='cofw',
        layouts=layouts,
        counts=dict(train=1345),
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
        root='data/cofw',
        split='test',
        markup='cofw',
        layouts=layouts,
        counts=dict(test=507),
        pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')],
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del layouts
