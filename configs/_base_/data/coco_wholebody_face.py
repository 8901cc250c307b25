"""COCO-WholeBody's faces: 68 points of the people in COCO 2017."""

layouts = [dict(type='CocoFaces', ann_file='annotations/coco_wholebody_{split}_v1.0.json', image_root='{split}2017')]
train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    dataset=dict(
        type='PublishedFaces',
        root='data/coco',
        split='train',
        markup='coco_wholebody_face',
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
                shift=0.16,
                shift_prob=0.3,
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
        root='data/coco',
        split='val',
        markup='coco_wholebody_face',
        layouts=layouts,
        pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')],
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del layouts
