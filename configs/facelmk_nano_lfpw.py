"""Nano, research edition: also trained on LFPW's 702 annotated faces, which are for research only."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.nano import *
    from ._base_.data.nano_lfpw import *
    from ._base_.data.nano_lfpw_calibration import *
    from ._base_.models.nano import *
    from ._base_.runtime import *
    from ._base_.schedules.nano_16e import *

default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=2, minutes=4)

result = dict(bibtex=['integral'])
