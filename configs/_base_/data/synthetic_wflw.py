"""Drawn faces, as many as WFLW has: 98 points, 7,500 to train on, 2,500 others to test, six subsets.

Nothing is downloaded.
"""

faces = dict(type='SyntheticFaces', markup='wflw', size=256, cache='.cache/synthetic')
train_dataloader = dict(batch_size=64, num_workers=2, dataset=dict(faces, count=7500, seed=98))
val_dataloader = dict(batch_size=32, num_workers=2, dataset=dict(faces, count=2500, seed=99))
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del faces
