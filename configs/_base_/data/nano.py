"""Drawn faces, with a scanned head and with our own, and portraits in the public domain; validated on LFPW.

LFPW's 100 validation faces choose the best epoch and train nothing.
"""

from mmengine.config import read_base

with read_base():
    from .nano_sets import drawn, portraits, scanned, val_dataloader, val_evaluator

train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    dataset=dict(
        type='JoinedFaces',
        markup='wflw_300w',
        subsets=(),
        weights=[0.75, 0.05, 5.0],
        datasets=[
            dict(dataset=scanned, name='scanned'),
            dict(dataset=drawn, name='drawn'),
            dict(dataset=portraits, name='portraits'),
        ],
    ),
)
del drawn, scanned, portraits
