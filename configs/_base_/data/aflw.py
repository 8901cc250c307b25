"""AFLW: 19 points, 20,000 faces to train on, 4,386 to test; errors are divided by the box size of the file."""

layouts = [
    dict(type='CocoFaces', ann_file='annotations/face_landmarks_aflw_{split}.json', image_root='images'),
    dict(type='CsvFaces', ann_file='face_landmarks_aflw_{split}.csv', image_root='images'),
]
faces = dict(type='PublishedFaces', root='data/aflw', markup='aflw', layouts=layouts)
train_dataloader = dict(batch_size=64, num_workers=2, dataset=dict(faces, split='train', counts=dict(train=20000)))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    dataset=dict(faces, split='test', subset_files=dict(frontal='frontal'), whole='full', counts=dict(test=4386)),
)
val_evaluator = [
    dict(type='NME', norm='file'),
    dict(type='FailureRate', threshold=0.1, norm='file'),
    dict(type='AUC', threshold=0.1, norm='file'),
]
del layouts, faces
