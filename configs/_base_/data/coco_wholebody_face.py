"""COCO-WholeBody's faces: 68 points of the people in COCO 2017."""

layouts = [dict(type='CocoFaces', ann_file='annotations/coco_wholebody_{split}_v1.0.json', image_root='{split}2017')]
faces = dict(type='PublishedFaces', root='data/coco', markup='coco_wholebody_face', layouts=layouts)
train_dataloader = dict(batch_size=32, num_workers=2, dataset=dict(faces, split='train'))
val_dataloader = dict(batch_size=32, num_workers=2, dataset=dict(faces, split='val'))
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del layouts, faces
