"""120 epochs of AdamW at 4e-3 for a batch of 512, the rest as rtmpose_60e."""

from mmengine.config import read_base

with read_base():
    from .rtmpose_60e import *

param_scheduler[1].update(begin=60, end=120, T_max=60)
train_cfg.update(max_epochs=120)
custom_hooks[1].update(epoch=110)
