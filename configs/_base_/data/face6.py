"""Six sets as one, in LaPa's 106 points: LaPa, COCO-WholeBody, WFLW, 300W, COFW, and Halpe where it is; tested on LaPa.

A point that a set does not have is invisible there. Halpe alone may be missing; to go without another set, take it out
of `datasets`.
"""

from mmengine.config import read_base

with read_base():
    from .coco_wholebody_face import train_dataloader as coco_wholebody_face
    from .cofw import train_dataloader as cofw
    from .lapa import test_dataloader as val_dataloader
    from .lapa import train_dataloader as lapa
    from .lapa import val_evaluator
    from .w300 import train_dataloader as w300
    from .wflw import train_dataloader as wflw

sets = [
    {key: value for key, value in loader['dataset'].items() if key != 'pipeline'}
    for loader in (lapa, coco_wholebody_face, wflw, w300, cofw)
]
halpe = dict(
    type='CocoFaces',
    data_root='data/halpe',
    ann_file='annotations/halpe_train_v1.json',
    first=26,
    image_root='hico_20160224_det/images/train2015',
    markup='300w',
)
train_dataloader = dict(
    batch_size=256,
    num_workers=10,
    dataset=dict(
        type='JoinedFaces',
        markup='lapa',
        datasets=[
            sets[0],
            dict(sets[0], split='val', counts=dict(val=2000)),
            *sets[1:],
            dict(dataset=halpe, optional=True),
        ],
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
del sets, halpe, coco_wholebody_face, cofw, lapa, w300, wflw
