"""HRNetV2-W18 heatmaps with mean squared error on COFW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose import *
    from ._base_.data.cofw import *
    from ._base_.models.hrnetv2_w18 import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e import *

model.update(markup='cofw')
model.codec.update(sigma=1.5)
param_scheduler[1].update(end=50)  # so the learning rate does not drop at 55

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose,
    NME=dict(test=3.48),
    checkpoint='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_cofw_256x256-49243ab8_20211019.pth',
    log='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_cofw_256x256_20211019.log.json',
    bibtex=['hrnet', 'cofw'],
)
