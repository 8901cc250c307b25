"""ResNet-50 with three deconvolutions and heatmaps on COCO-WholeBody-Face."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_coco_wholebody_face import *

model.backbone = dict(type='ResNet', depth=50, pretrained='torchvision://resnet50')
model.head = dict(type='HeatmapHead', deconvs=3)

result = dict(
    source='MMPose 1.x, there as 0.0582',
    protocol=protocols.mmpose,
    NME=dict(test=5.82),
    checkpoint='https://download.openmmlab.com/mmpose/face/resnet/res50_coco_wholebody_face_256x256-5128edf5_20210909.pth',
    log='https://download.openmmlab.com/mmpose/face/resnet/res50_coco_wholebody_face_256x256_20210909.log.json',
    bibtex=['simple_baselines', 'resnet', 'coco_wholebody'],
)
