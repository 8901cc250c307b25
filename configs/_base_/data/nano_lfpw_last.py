"""Mostly LFPW's 702 training faces, which are for research only, with portraits and some faces of the scanned head."""

from mmengine.config import read_base

with read_base():
    from .nano_sets import lfpw, portraits, scanned, train_dataloader, val_dataloader, val_evaluator

train_dataloader.dataset.update(
    weights=[0.2, 1.0, 6.0],
    datasets=[
        dict(dataset=scanned, name='scanned'),
        dict(dataset=dict(portraits, ann_file='landmarks_lfpw.npz'), name='portraits'),
        dict(dataset=lfpw.dataset, name='lfpw'),
    ],
)
del scanned, portraits, lfpw
