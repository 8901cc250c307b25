"""HRNetV2-W18 heatmaps with mean squared error on AFLW."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose import *
    from ._base_.data.aflw import *
    from ._base_.models.hrnetv2_w18 import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e import *

model.update(markup='aflw')

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose_aflw,
    NME=dict(full=1.41, frontal=1.27),
    checkpoint='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_aflw_256x256-f2bbc62b_20210125.pth',
    log='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_aflw_256x256_20210125.log.json',
    bibtex=['hrnet', 'aflw'],
)
