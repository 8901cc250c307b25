"""300W: 68 points, 3,148 faces to train on, 689 to test (common and challenge); split='test' are its 600 private faces.

The file is w300 because a config that others read must have a Python name.
"""
tables = [
    dict(type='CocoFaces', ann_file='annotations/face_landmarks_300w_{split}.json', image_root='images'),
    dict(type='CsvFaces', ann_file='face_landmarks_300w_{split}.csv', image_root='images')]
train_dataloader = dict(batch_size=64, num_workers=2, dataset=dict(
    type='PublishedFaces', root='data/300w', split='train', markup='300w',
    layouts=[*tables, dict(type='PtsFaces', image_root='images', folders=['afw', 'helen/trainset', 'lfpw/trainset'])],
    pipeline=[
        dict(type='LoadImage'),
        dict(type='CropFace', size=256, flip=.5, rotate=60, rotate_prob=.6, scale=(.75, 1.25), draw='truncnorm',
             mirror='photo'),
        dict(type='PackFace')]))
val_dataloader = dict(batch_size=32, num_workers=2, dataset=dict(
    type='PublishedFaces', root='data/300w', split='valid', markup='300w',
    layouts=[*tables, dict(type='PtsFaces', image_root='images',
                           folders=dict(common=['helen/testset', 'lfpw/testset'], challenge=['ibug']))],
    subset_files=dict(common='common', challenge='challenge'),
    pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')]))
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=.1), dict(type='AUC', threshold=.1)]
del tables
