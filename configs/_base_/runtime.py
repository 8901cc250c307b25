"""What every run shares: logs, checkpoints, the choice of the best epoch, and the names of protocols."""

from mmengine.config import read_base

with read_base():
    from .protocols import *

default_scope = 'facelmk'
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=10, minutes=15, save_best='NME'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    statistics=dict(type='SyncStatistics'),
    guard=dict(type='Guard'),
)
env_cfg = dict(
    cudnn_benchmark=True, mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0), dist_cfg=dict(backend='nccl')
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True, num_digits=6)
visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])
