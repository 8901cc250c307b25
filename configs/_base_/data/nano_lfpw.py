"""The data of `nano.py` and LFPW's 702 training faces, which are for research only.

LFPW's annotations also correct the labels of the portraits.
"""

from mmengine.config import read_base

with read_base():
    from .nano_sets import drawn, lfpw, portraits, scanned, train_dataloader, val_dataloader, val_evaluator

train_dataloader.dataset.update(
    weights=[0.3, 0.05, 1.2, 8.0],
    datasets=[
        dict(dataset=scanned, name='scanned'),
        dict(dataset=drawn, name='drawn'),
        dict(dataset=dict(portraits, ann_file='landmarks_lfpw.npz'), name='portraits'),
        dict(dataset=lfpw.dataset, name='lfpw'),
    ],
)
del drawn, scanned, portraits, lfpw
