"""Adaptive Wing: four hourglasses with CoordConv and a boundary map on WFLW.

With the rectangles of WFLW's lists instead of tight boxes the authors report (test, pose, expression, illumination,
makeup, occlusion, blur) NME 4.36, 7.38, 4.58, 4.32, 4.27, 5.19, 4.96, FR@0.1 2.84, 13.50, 2.23, 2.58, 2.91, 5.98, 3.75
and AUC@0.1 57.19, 31.20, 51.49, 57.77, 57.15, 50.22, 51.20.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.awing import *
    from ._base_.data.wflw import *
    from ._base_.metrics.inter_pupil import *
    from ._base_.models.awing_hg4 import *
    from ._base_.runtime import *
    from ._base_.schedules.awing_240e import *

train_dataloader.update(batch_size=8)

result = dict(
    source='AdaptiveWingLoss (its GTBbox rows)',
    protocol=protocols.tight_box,
    NME=dict(test=4.21, pose=7.21, illumination=4.23, occlusion=4.99, blur=4.82, makeup=4.02, expression=4.46),
    FR=dict(test=2.04),
    AUC=dict(test=58.95),
    checkpoint_page='https://drive.google.com/file/d/1HZaSjLoorQ4QCEx7PRTxOmg0bBPYSqhH/view',
    bibtex=['awing', 'wflw'],
)
