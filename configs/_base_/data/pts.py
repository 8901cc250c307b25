"""Your own photographs with a .pts file of 68 points beside each: nine of ten to train on, the tenth to test.

Files may lie in any folders. Coordinates start at 1, as in 300W's files. Photographs without .pts and other files are
skipped.
"""

faces = dict(type='PtsFaces', data_root='data/pts', markup='300w', share=0.1, origin=1)
train_dataloader = dict(batch_size=8, num_workers=2, dataset=dict(faces, part='train'))
val_dataloader = dict(batch_size=8, num_workers=2, dataset=dict(faces, part='val'))
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del faces
