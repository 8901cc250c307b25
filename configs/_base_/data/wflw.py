"""WFLW: 98 points, 7,500 faces to train on, 2,500 to test, six subsets."""

layouts = [
    dict(type='CocoFaces', ann_file='annotations/face_landmarks_wflw_{split}.json', image_root='images'),
    dict(type='CsvFaces', ann_file='face_landmarks_wflw_{split}.csv', image_root='images'),
    dict(
        type='WflwTxt',
        image_root='WFLW_images',
        ann_file='WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_{split}.txt',
    ),
]
faces = dict(type='PublishedFaces', root='data/wflw', markup='wflw', layouts=layouts)
train_dataloader = dict(batch_size=64, num_workers=2, dataset=dict(faces, split='train', counts=dict(train=7500)))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    dataset=dict(
        faces,
        split='test',
        subset_files=dict(
            pose='largepose',
            expression='expression',
            illumination='illumination',
            makeup='makeup',
            occlusion='occlusion',
            blur='blur',
        ),
        counts=dict(test=2500, pose=326, expression=314, illumination=698, makeup=206, occlusion=736, blur=773),
    ),
)
val_evaluator = [dict(type='NME'), dict(type='FailureRate', threshold=0.1), dict(type='AUC', threshold=0.1)]
del layouts, faces
