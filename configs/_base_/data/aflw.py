"""AFLW: 19 points, 20,000 faces to train on, 4,386 to test; errors are divided by the box size of the file."""

layouts = [
    dict(type='CocoFaces', ann_file='annotations/face_landmarks_aflw_{split}.json', image_root='images'),
    dict(type='CsvFaces', ann_file='face_landmarks_aflw_{split}.csv', image_root='images'),
]
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    dataset=dict(
        type='PublishedFaces',
        root='data/aflw',
        split='train',
        markup='aflw',
        layouts=layouts,
        counts=dict(train=20000),
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
        root='data/aflw',
        split='test',
        markup='aflw',
        layouts=layouts,
        subset_files=dict(frontal='frontal'),
        whole='full',
        counts=dict(test=4386),
        pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')],
    ),
)
val_evaluator = [
    dict(type='NME', norm='file'),
    dict(type='FailureRate', threshold=0.1, norm='file'),
    dict(type='AUC', threshold=0.1, norm='file'),
]
del layouts
