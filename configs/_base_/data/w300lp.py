"""300W-LP: 68 points in 61,225 rotated views of 300W's photographs, split by photograph.

MMPose's json files have the split of its converter. The .mat files are split 8 : 1 : 1 by photograph. The batch size 2
is MMPose's. (The file is called w300lp because a base must have a name that Python can import.)
"""

layouts = [
    dict(type='CocoFaces', image_root='{split}', ann_file='annotations/face_landmarks_300wlp_{split}.json'),
    dict(
        type='CocoFaces',
        image_root=dict(train='train', val='val', test='test'),
        ann_file=dict(  # MMPose's names
            train='annotations/face_landmarks_300wlp_train.json',
            val='annotations/face_landmarks_300wlp_valid.json',
            test='annotations/face_landmarks_300wlp_test.json',
        ),
    ),
    dict(type='Mat300WLP', part='{split}'),
]
faces = dict(type='PublishedFaces', root='data/300wlp', markup='300wlp', layouts=layouts)
train_dataloader = dict(batch_size=2, num_workers=2, dataset=dict(faces, split='train'))
val_dataloader = dict(batch_size=32, num_workers=2, dataset=dict(faces, split='val'))
test_dataloader = dict(batch_size=32, num_workers=2, dataset=dict(faces, split='test'))
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del layouts, faces
