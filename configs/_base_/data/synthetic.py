"""Drawn faces with 98 points: 8,000 to train on, 1,000 others to test, six subsets. Nothing is downloaded."""

faces = dict(type='SyntheticFaces', markup='wflw', size=160, cache='.cache/synthetic')
train_dataloader = dict(batch_size=32, num_workers=1, dataset=dict(faces, count=8000, seed=0))
val_dataloader = dict(batch_size=100, num_workers=1, dataset=dict(faces, count=1000, seed=1))
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del faces
