"""RTMPose-m on LaPa."""

from mmengine.config import read_base

with read_base():
    from ._base_.data.lapa import *
    from ._base_.models.rtmpose_m import *
    from ._base_.runtime import *
    from ._base_.schedules.rtmpose_120e import *

model.update(markup='lapa')
train_dataloader.update(batch_size=32)
train_dataloader.dataset.pipeline[1].update(rotate=80, scale=(0.5, 1.5), shift=0.16, shift_prob=0.3)
train_dataloader.dataset.pipeline[2:2] = [
    dict(type='HSV'),
    dict(type='Photometric'),
    dict(type='Blur', kernel=7, prob=0.2),
    dict(type='MedianBlur', kernel=7, prob=0.2),
    dict(type='CoarseDropout', holes=1, size=(0.2, 0.4), prob=1.0),
]
train_dataloader.dataset.pipeline[1:1] = [dict(type='HalfBody')]
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=1)

result = dict(
    source='MMPose 1.x',
    protocol='inter-ocular NME in %, flip test, box from the annotation, best epoch on the validation set',
    NME=dict(test=1.29),
    checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-lapa_pt-aic-coco_120e-256x256-762b1ae2_20230422.pth',
    log='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-lapa_pt-aic-coco_120e-256x256-762b1ae2_20230422.json',
    bibtex=['rtmpose', 'rtmdet', 'lapa'],
)
