"""300W: 68 points, 3,148 faces to train on, 689 to test (full: common and challenge) and the 600 private ones (test).

The first figure, which chooses the best epoch, is that of `full`. Where the private faces are not on the disk, the test
runs without them. (The file is called w300 because a base must have a name that Python can import.)
"""

public = dict(
    train=['afw', 'helen/trainset', 'lfpw/trainset'],
    valid=dict(common=['helen/testset', 'lfpw/testset'], challenge=['ibug']),
)
layouts = [
    dict(type='CocoFaces', ann_file='annotations/face_landmarks_300w_{split}.json', image_root='images'),
    dict(type='CsvFaces', ann_file='face_landmarks_300w_{split}.csv', image_root='images'),
    dict(
        type='PtsFaces',
        image_root='images',
        folders=dict(public, test=dict(indoor=['Test/01_Indoor'], outdoor=['Test/02_Outdoor'])),
    ),
    dict(  # as the archives unpack
        type='PtsFaces',
        image_root='',
        folders=dict(public, test=dict(indoor=['300W/01_Indoor'], outdoor=['300W/02_Outdoor'])),
    ),
]
faces = dict(type='PublishedFaces', root='data/300w', markup='300w', layouts=layouts)
full = dict(
    faces,
    split='valid',
    subset_files=dict(common='common', challenge='challenge'),
    counts=dict(valid=689, common=554, challenge=135),
)
private = dict(faces, split='test', counts=dict(test=600))
train_dataloader = dict(batch_size=64, num_workers=2, dataset=dict(faces, split='train', counts=dict(train=3148)))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    dataset=dict(
        type='JoinedFaces',
        headline='full',
        subsets=('common', 'challenge', 'full', 'test'),
        datasets=[dict(tags=('full',), dataset=full), dict(tags=('test',), optional=True, dataset=private)],
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del public, layouts, faces, full, private
