"""60 epochs of Adam at 2e-3 for a batch of 512 (8 GPUs of 64): 500 iterations of warm-up, steps at 40 and 55."""

optim_wrapper = dict(optimizer=dict(type='Adam', lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[40, 55], gamma=0.1, by_epoch=True),
]
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=1)
auto_scale_lr = dict(base_batch_size=512)
