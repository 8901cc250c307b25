"""COFW: 29 points, 1,345 faces to train on, 507 to test, many of them occluded."""

layouts = [
    dict(type='CocoFaces', ann_file='annotations/cofw_{split}.json', image_root='images'),
    dict(type='CofwMat', ann_file='COFW_{split}_color.mat', origin=1),
]
faces = dict(type='PublishedFaces', root='data/cofw', markup='cofw', layouts=layouts)
train_dataloader = dict(batch_size=64, num_workers=2, dataset=dict(faces, split='train', counts=dict(train=1345)))
val_dataloader = dict(batch_size=32, num_workers=2, dataset=dict(faces, split='test', counts=dict(test=507)))
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del layouts, faces
