"""What the experiments of this project share, in mmengine's older style."""

default_scope = 'facelmk'
custom_imports = dict(imports=['nine'])
model = dict(
    type='facelmk.FaceLandmarker',
    markup='nine',
    backbone=dict(type='TwoConvs'),
    head=dict(type='FlatHead'),
    codec=dict(type='FromMiddle'),
    loss=dict(type='FarLoss'),
)
pipeline = [dict(type='CropFace', size=64), dict(type='PackFace')]
train_dataloader = dict(batch_size=8, num_workers=0, dataset=dict(type='StrokeFaces', count=64, pipeline=pipeline))
val_dataloader = dict(
    batch_size=8, num_workers=0, dataset=dict(type='StrokeFaces', count=20, seed=1, pipeline=pipeline)
)
val_evaluator = [dict(type='NME'), dict(type='WorstFace')]
optim_wrapper = dict(optimizer=dict(type='Adam', lr=3e-3))
train_cfg = dict(by_epoch=True, max_epochs=6, val_interval=6)
