"""RTMPose-s on six sets as one, tested on LaPa."""

from mmengine.config import read_base

with read_base():
    from .rtmpose_m_face6 import *

model.backbone.update(
    deepen=0.33,
    widen=0.5,
    pretrained='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/cspnext_rsb_pretrain/cspnext-s_imagenet_600e-ea671761.pth',
)
optim_wrapper.optimizer.update(weight_decay=0.0)
custom_hooks[-1].pipeline[2].update(rotate=60, scale=(0.75, 1.25))

result = dict(
    source='MMPose 1.x',
    protocol='inter-ocular NME in % on LaPa, flip test, box from the annotation, best epoch on the test set',
    NME=dict(test=1.59),
    checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-s_simcc-face6_pt-in1k_120e-256x256-d779fdef_20230529.pth',
    bibtex=['rtmpose', 'rtmdet', 'lapa', 'coco_wholebody', 'wflw', '300w', 'cofw', 'halpe'],
)
