"""AdamW for 12 epochs: a short warm-up, then a cosine; averaged weights."""

optim_wrapper = dict(optimizer=dict(type='AdamW', lr=3e-3, weight_decay=0.02), clip_grad=dict(max_norm=5.0))
train_cfg = dict(by_epoch=True, max_epochs=12, val_interval=1)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=200),
    dict(type='CosineAnnealingLR', T_max=12, eta_min=1e-5, convert_to_iter_based=True),
]
custom_hooks = [
    dict(
        type='EMAHook',
        ema_type='ExponentialMovingAverage',
        momentum=0.001,
        begin_iter=300,
        update_buffers=True,
        priority=49,
    )
]
