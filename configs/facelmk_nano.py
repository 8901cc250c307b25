"""Nano: 98 and 68 points from 0.9 million parameters, trained on drawn faces and portraits in the public domain."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.nano import *
    from ._base_.data.nano import *
    from ._base_.data.nano_calibration import *
    from ._base_.models.nano import *
    from ._base_.runtime import *
    from ._base_.schedules.nano_16e import *

default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=2, minutes=4)

result = dict(bibtex=['integral'])
