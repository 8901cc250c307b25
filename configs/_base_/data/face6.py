"""Six sets as one, in LaPa's 106 points: LaPa, COCO-WholeBody, WFLW, 300W, COFW, and Halpe where it is on the disk.

The test is LaPa's. A point that a set does not have is invisible there. Only Halpe may be missing; to train without
another set, take it out of `datasets`.
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
            lapa.dataset,
            dict(lapa.dataset, split='val', counts=dict(val=2000)),
            coco_wholebody_face.dataset,
            wflw.dataset,
            w300.dataset,
            cofw.dataset,
            dict(dataset=halpe, optional=True),
        ],
    ),
)
del halpe, coco_wholebody_face, cofw, lapa, w300, wflw
