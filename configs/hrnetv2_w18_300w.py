"""HRNetV2-W18 heatmaps with mean squared error on 300W."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.mmpose import *
    from ._base_.data.w300 import *
    from ._base_.models.hrnetv2_w18 import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e import *

model.update(markup='300w')
model.codec.update(sigma=1.5)

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose,
    NME=dict(common=2.92, challenge=5.64, full=3.45, test=4.10),
    checkpoint='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_300w_256x256-eea53406_20211019.pth',
    log='https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_300w_256x256_20211019.log.json',
    bibtex=['hrnet', '300w'],
)
