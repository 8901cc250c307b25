"""COFW in 68 points: trained on 300W, tested on COFW's 507 test faces as Ghiasi and Fowlkes annotated them again.

Boxes are tight around the landmarks, as in 300W; box='file' takes the boxes of COFW's own file.
"""

from mmengine.config import read_base

with read_base():
    from .w300 import train_dataloader, val_evaluator

val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    dataset=dict(
        type='PublishedFaces',
        root='data/cofw',
        split='test',
        markup='300w',
        counts=dict(test=507),
        layouts=[dict(type='Cofw68Mat', box='tight', origin=1)],
    ),
)
