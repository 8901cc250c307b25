"""120 epochs of RTMPose over six sets: clipped gradients, a cosine from epoch 30 down to 0.5 %."""

from mmengine.config import read_base

with read_base():
    from .rtmpose_120e import *

optim_wrapper.update(clip_grad=dict(max_norm=35, norm_type=2))
param_scheduler[1].update(eta_min=2e-5, begin=30, T_max=90)
