"""RTMPose-m on LaPa."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.rtmpose_lapa import *
    from ._base_.data.lapa import *
    from ._base_.models.rtmpose_m import *
    from ._base_.runtime import *
    from ._base_.schedules.rtmpose_120e import *

model.update(markup='lapa')
train_dataloader.update(batch_size=32)
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=1)

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose_val,
    NME=dict(test=1.29),
    checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-lapa_pt-aic-coco_120e-256x256-762b1ae2_20230422.pth',
    log='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-lapa_pt-aic-coco_120e-256x256-762b1ae2_20230422.json',
    bibtex=['rtmpose', 'rtmdet', 'lapa'],
)
