"""Drawn faces, with a scanned head and with our own, and portraits in the public domain; validated on LFPW.

LFPW's 100 validation faces choose the best epoch and train nothing.
"""

from mmengine.config import read_base

with read_base():
    from .nano_sets import drawn, portraits, scanned, train_dataloader, val_dataloader, val_evaluator

train_dataloader.dataset.update(
    weights=[0.75, 0.05, 5.0],
    datasets=[
        dict(dataset=scanned, name='scanned'),
        dict(dataset=drawn, name='drawn'),
        dict(dataset=portraits, name='portraits'),
    ],
)
del drawn, scanned, portraits
