"""Nano, research edition, last two epochs: mostly annotated faces, with mild augmentation.

It continues from the weights of `facelmk_nano_lfpw`; name them with `--cfg-options load_from=FILE`. LFPW's faces are
for research only.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.nano import train_pipeline_stage2 as train_pipeline
    from ._base_.augment.nano import val_pipeline
    from ._base_.data.nano_lfpw_calibration import *
    from ._base_.data.nano_lfpw_last import *
    from ._base_.models.nano import *
    from ._base_.runtime import *
    from ._base_.schedules.nano_16e import *

optim_wrapper.optimizer.update(lr=1e-3)
train_cfg.update(max_epochs=2)
param_scheduler[0].update(end=40)
param_scheduler[1].update(T_max=2)
custom_hooks = [dict(custom_hooks[0], begin_iter=40)]
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=2, minutes=4)

result = dict(bibtex=['integral'])
