"""MobileNetV2 with three deconvolutions and heatmaps on COCO-WholeBody-Face."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_coco_wholebody_face import *

model.backbone = dict(
    type='MobileNetV2',
    pretrained='https://download.openmmlab.com/mmclassification/v0/mobilenet_v2/mobilenet_v2_batch256_imagenet_20200708-3b2dc3af.pth',
)
model.head = dict(type='HeatmapHead', deconvs=3)

result = dict(
    source='MMPose 1.x, there as 0.0611',
    protocol=protocols.mmpose,
    NME=dict(test=6.11),
    checkpoint='https://download.openmmlab.com/mmpose/face/mobilenetv2/mobilenetv2_coco_wholebody_face_256x256-4a3f096e_20210909.pth',
    log='https://download.openmmlab.com/mmpose/face/mobilenetv2/mobilenetv2_coco_wholebody_face_256x256_20210909.log.json',
    bibtex=['mobilenetv2', 'simple_baselines', 'coco_wholebody'],
)
