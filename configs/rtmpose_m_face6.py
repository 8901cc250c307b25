"""RTMPose-m on six sets as one (LaPa, COCO-WholeBody-Face, WFLW, 300W, COFW, Halpe), tested on LaPa."""

from mmengine.config import read_base

with read_base():
    from ._base_.data.face6 import *
    from ._base_.models.rtmpose_m import *
    from ._base_.runtime import *
    from ._base_.schedules.rtmpose_face6 import *

model.update(markup='lapa')
model.backbone.update(
    pretrained='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/cspnext_rsb_pretrain/cspnext-m_8xb256-rsb-a1-600e_in1k-ecb3bbd9.pth'
)
train_dataloader.dataset.pipeline[1].update(rotate=80, scale=(0.5, 1.5))
train_dataloader.dataset.pipeline[2:2] = [
    dict(type='HSV'),
    dict(type='Blur', kernel=7, prob=0.2),
    dict(type='MedianBlur', kernel=7, prob=0.2),
    dict(type='CoarseDropout', holes=1, size=(0.2, 0.4), prob=1.0),
    dict(type='WeighPoints'),
]
train_dataloader.dataset.pipeline[1:1] = [dict(type='HalfBody')]
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=1)
custom_hooks[-1].pipeline[2].update(rotate=80, scale=(0.5, 1.5))

result = dict(
    source='MMPose 1.x',
    protocol='inter-ocular NME in % on LaPa, flip test, box from the annotation, best epoch on the test set',
    NME=dict(test=1.44),
    checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-face6_pt-in1k_120e-256x256-72a37400_20230529.pth',
    bibtex=['rtmpose', 'rtmdet', 'lapa', 'coco_wholebody', 'wflw', '300w', 'cofw', 'halpe'],
)
