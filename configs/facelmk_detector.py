"""Face detector: SceneNet with box maps, trained on composed scenes of drawn faces and public-domain portraits."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.scenes import *
    from ._base_.data.scenes import *
    from ._base_.models.detector import *
    from ._base_.runtime import *
    from ._base_.schedules.detector_12e import *

val_evaluator = [dict(type='BoxRecall')]
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=2, minutes=4, save_best='AP', rule='greater')

result = dict(bibtex=['centernet'])
