"""Your own pictures with a .pts of 68 points beside each, in any folders: nine of ten to train on, the tenth to test.

Coordinates are counted from 1, as 300W's files have them; pictures without .pts and other files are passed over.
"""

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(
        type='PtsFaces',
        data_root='data/pts',
        markup='300w',
        part='train',
        share=0.1,
        origin=1,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='CropFace', size=256, flip=0.5, rotate=50, scale=(0.85, 1.15), shift=0.08),
            dict(type='Blur'),
            dict(type='Noise'),
            dict(type='Occlude'),
            dict(type='PackFace'),
        ],
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(
        type='PtsFaces',
        data_root='data/pts',
        markup='300w',
        part='val',
        share=0.1,
        origin=1,
        pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=256), dict(type='PackFace')],
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
