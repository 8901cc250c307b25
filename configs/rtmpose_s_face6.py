"""RTMPose-s on six sets as one, tested on LaPa."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.rtmpose_face6_small import *
    from ._base_.data.face6 import *
    from ._base_.models.rtmpose_m import *
    from ._base_.runtime import *
    from ._base_.schedules.rtmpose_face6 import *

model.update(markup='lapa')
model.backbone.update(
    deepen=0.33,
    widen=0.5,
    pretrained='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/cspnext_rsb_pretrain/cspnext-s_imagenet_600e-ea671761.pth',
)
optim_wrapper.optimizer.update(weight_decay=0.0)
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=1)

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose_lapa,
    NME=dict(test=1.59),
    checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-s_simcc-face6_pt-in1k_120e-256x256-d779fdef_20230529.pth',
    bibtex=['rtmpose', 'rtmdet', 'lapa', 'coco_wholebody', 'wflw', '300w', 'cofw', 'halpe'],
)
