"""LaPa: 106 points, over 18,000 faces to train on, 2,000 to choose the epoch by, 2,000 others to test."""

layouts = [
    dict(type='CocoFaces', ann_file='annotations/lapa_{split}.json', image_root=''),
    dict(type='LapaTxt', ann_file='{split}/landmarks', image_root='{split}/images'),
]
faces = dict(type='PublishedFaces', root='data/LaPa', markup='lapa', layouts=layouts)
train_dataloader = dict(batch_size=64, num_workers=2, dataset=dict(faces, split='train'))
val_dataloader = dict(batch_size=32, num_workers=2, dataset=dict(faces, split='val', counts=dict(val=2000)))
test_dataloader = dict(batch_size=32, num_workers=2, dataset=dict(faces, split='test', counts=dict(test=2000)))
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del layouts, faces
