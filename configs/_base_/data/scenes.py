"""Composed scenes: 48,000 new ones in each epoch, 1,000 fixed ones for validation. No face of them is for research only.

`drawn` faces have our own head, `scanned` ones the head of ICT-FaceKit, which you download yourself. `portraits` are
photographs in the public domain; `python tools/label_portraits.py` makes their landmarks.
"""

drawn = dict(type='SyntheticFaces', markup='300w', count=8000, seed=11, size=160, cache='.cache/drawn')
scanned = dict(drawn, count=3000, seed=12, cache='.cache/scanned', head='data/ict_facekit/head.npz')
portraits = dict(
    type='NpzFaces', data_root='data/portraits', ann_file='landmarks_drawn.npz', image_root='images', markup='wflw_300w'
)
scenes = dict(type='ComposedScenes', size=192, faces=[portraits, drawn, scanned], weights=[0.5, 0.2, 0.3], whole=0.2)
train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    collate_fn=dict(type='facelmk.collate_scenes'),
    dataset=dict(scenes, count=48_000, seed=1, renew=True),
)
val_dataloader = dict(
    batch_size=50,
    num_workers=1,
    collate_fn=dict(type='facelmk.collate_scenes'),
    dataset=dict(scenes, count=1000, seed=2),
)
del drawn, scanned, portraits, scenes
