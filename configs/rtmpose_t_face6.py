"""RTMPose-t on six sets as one, tested on LaPa."""

from mmengine.config import read_base

with read_base():
    from .rtmpose_s_face6 import *

model.backbone.update(
    deepen=0.167,
    widen=0.375,
    pretrained='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/cspnext_rsb_pretrain/cspnext-tiny_imagenet_600e-3a2dd350.pth',
)
custom_hooks = [dict(type='SwitchPipeline', epoch=110)]  # the smallest network has no averaged weights

result = dict(
    source='MMPose 1.x',
    protocol=protocols.mmpose_lapa,
    NME=dict(test=1.67),
    checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/rtmpose-t_simcc-face6_pt-in1k_120e-256x256-df79d9a5_20230529.pth',
    bibtex=['rtmpose', 'rtmdet', 'lapa', 'coco_wholebody', 'wflw', '300w', 'cofw', 'halpe'],
)
