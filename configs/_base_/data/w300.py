"""300W: 68 points, 3,148 faces to train on, 689 to test (full: common and challenge) and the 600 private ones (test).

The first figure, by which an epoch is chosen, is that of `full`. Where the private faces are not on the disk, they are
left out. (The file is w300 because a config that others read must have a Python name.)
"""

layouts = [
    dict(type='CocoFaces', ann_file='annotations/face_landmarks_300w_{split}.json', image_root='images'),
    dict(type='CsvFaces', ann_file='face_landmarks_300w_{split}.csv', image_root='images'),
    dict(
        type='PtsFaces',
        image_root='images',
        folders=dict(
            train=['afw', 'helen/trainset', 'lfpw/trainset'],
            valid=dict(common=['helen/testset', 'lfpw/testset'], challenge=['ibug']),
            test=dict(indoor=['Test/01_Indoor'], outdoor=['Test/02_Outdoor']),
        ),
    ),
    dict(
        type='PtsFaces',
        image_root='',
        folders=dict(  # as the archives unpack
            train=['afw', 'helen/trainset', 'lfpw/trainset'],
            valid=dict(common=['helen/testset', 'lfpw/testset'], challenge=['ibug']),
            test=dict(indoor=['300W/01_Indoor'], outdoor=['300W/02_Outdoor']),
        ),
    ),
]
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    dataset=dict(
        type='PublishedFaces',
        root='data/300w',
        split='train',
        markup='300w',
        layouts=layouts,
        counts=dict(train=3148),
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
        type='JoinedFaces',
        headline='full',
        subsets=('common', 'challenge', 'full', 'test'),
        datasets=[
            dict(
                tags=('full',),
                dataset=dict(
                    type='PublishedFaces',
                    root='data/300w',
                    split='valid',
                    markup='300w',
                    layouts=layouts,
                    subset_files=dict(common='common', challenge='challenge'),
                    counts=dict(valid=689, common=554, challenge=135),
                ),
            ),
            dict(
                tags=('test',),
                optional=True,
                dataset=dict(
                    type='PublishedFaces',
                    root='data/300w',
                    split='test',
                    markup='300w',
                    layouts=layouts,
                    counts=dict(test=600),
                ),
            ),
        ],
        pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')],
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del layouts
