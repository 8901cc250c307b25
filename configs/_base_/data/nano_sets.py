"""The data sets of the small networks; all but LFPW have the 98 and the 68 points.

`scanned` are faces drawn with ICT-FaceKit's head, which you download yourself, `drawn` faces drawn with our own head.
`portraits` are in the public domain; `python tools/label_portraits.py` makes their labels. LFPW is for research only.
"""

from mmengine.config import read_base

with read_base():
    from .lfpw68 import train_dataloader as lfpw
    from .lfpw68 import val_dataloader, val_evaluator

train_dataloader = dict(batch_size=32, num_workers=1, dataset=dict(type='JoinedFaces', markup='wflw_300w', subsets=()))

drawn = dict(type='SyntheticFaces', markup='wflw_300w', count=20000, seed=11, size=160, cache='.cache/drawn')
scanned = dict(drawn, count=4000, seed=21, head='data/ict_facekit/head.npz')
portraits = dict(
    type='NpzFaces', data_root='data/portraits', ann_file='landmarks_drawn.npz', image_root='images', markup='wflw_300w'
)
