"""LFPW's training part of 300W, in 68 points: 702 faces to train on, 100 others to validate. For research only.

The boxes are tight around the landmarks. The tables count pixels from 1.
"""

lfpw = dict(type='CsvFaces', data_root='data/lfpw68', image_root='images', markup='300w', box='tight', origin=1)
train_dataloader = dict(batch_size=32, num_workers=1, dataset=dict(lfpw, ann_file='face_landmarks_train.csv'))
val_dataloader = dict(
    batch_size=50,
    num_workers=1,
    dataset=dict(
        type='JoinedFaces',
        markup='wflw_300w',
        subsets=(),
        datasets=[dict(dataset=dict(lfpw, ann_file='face_landmarks_val.csv'), name='lfpw')],
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.08), dict(type='AUC', threshold=0.1)]
del lfpw
