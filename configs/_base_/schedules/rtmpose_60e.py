"""60 epochs of AdamW at 4e-3 for a batch of 512: 1,000 iterations of warm-up, a cosine down to 5 % in the second half.

Weights are averaged. The last ten epochs train on `train_pipeline_stage2`.
"""

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=4e-3, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-5, by_epoch=False, begin=0, end=1000),
    dict(type='CosineAnnealingLR', eta_min=2e-4, begin=30, end=60, T_max=30, by_epoch=True, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=1)
auto_scale_lr = dict(base_batch_size=512)
randomness = dict(seed=21)
custom_hooks = [
    dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=2e-4, update_buffers=True, priority=49),
    dict(type='SwitchPipeline', epoch=50),
]
