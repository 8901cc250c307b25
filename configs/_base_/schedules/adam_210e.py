"""210 epochs of Adam at 5e-4 for a batch of 512 (8 GPUs of 64): 500 iterations of warm-up, steps at 170 and 200."""

optim_wrapper = dict(optimizer=dict(type='Adam', lr=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', milestones=[170, 200], gamma=0.1, by_epoch=True),
]
train_cfg = dict(by_epoch=True, max_epochs=210, val_interval=10)
auto_scale_lr = dict(base_batch_size=512)
