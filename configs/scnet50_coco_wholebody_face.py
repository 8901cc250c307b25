"""SCNet-50 with three deconvolutions and heatmaps on COCO-WholeBody-Face."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_coco_wholebody_face import *

model.backbone = dict(
    type='SCNet', depth=50, pretrained='https://download.openmmlab.com/mmpose/pretrain_models/scnet50-7ef0a199.pth'
)
model.head = dict(type='HeatmapHead', deconvs=3)

result = dict(
    source='MMPose 1.x, there as 0.0567',
    protocol=protocols.mmpose,
    NME=dict(test=5.67),
    checkpoint='https://download.openmmlab.com/mmpose/face/scnet/scnet50_coco_wholebody_face_256x256-a0183f5f_20210909.pth',
    log='https://download.openmmlab.com/mmpose/face/scnet/scnet50_coco_wholebody_face_256x256_20210909.log.json',
    bibtex=['scnet', 'simple_baselines', 'coco_wholebody'],
)
