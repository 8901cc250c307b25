"""RTMPose-m on six sets as one (LaPa, COCO-WholeBody-Face, WFLW, 300W, COFW, Halpe), tested on LaPa."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.rtmpose_face6 import *
    from ._base_.data.face6 import *
    from ._base_.models.rtmpose_m import *
    from ._base_.runtime import *
    from ._base_.schedules.rtmpose_face6 import *

model.update(markup='lapa')
model.backbone.update(
    pretrained='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/cspnext_rsb_pretrain/cspnext-m_8xb256-rsb-a1-600e_in1k-ecb3bbd9.pth'
)
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=1)

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose_lapa,
    NME=dict(test=1.44),
    checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-m_simcc-face6_pt-in1k_120e-256x256-72a37400_20230529.pth',
    bibtex=['rtmpose', 'rtmdet', 'lapa', 'coco_wholebody', 'wflw', '300w', 'cofw', 'halpe'],
)
