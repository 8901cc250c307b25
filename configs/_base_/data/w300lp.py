"""300W-LP: 68 points of 61,225 views that were turned out of 300W's photographs, split by photograph.

Of MMPose's json the split is the one that its converter drew; of the .mat files it is eight, one and one tenth of the
photographs. A batch of 2, as in MMPose's file. (The file is w300lp because a config that others read must have a Python
name.)
"""

layouts = [
    dict(type='CocoFaces', image_root='{split}', ann_file='annotations/face_landmarks_300wlp_{split}.json'),
    dict(
        type='CocoFaces',
        image_root=dict(train='train', val='val', test='test'),
        ann_file=dict(  # as MMPose calls it
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
