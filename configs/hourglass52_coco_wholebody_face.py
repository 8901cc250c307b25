"""Hourglass-52, one hourglass of residual blocks, on COCO-WholeBody-Face."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_coco_wholebody_face import *

model.backbone = dict(type='Hourglass')
model.head = dict(type='HourglassHead')

result = dict(
    source='MMPose 1.x, there as 0.0587',
    protocol=protocols.mmpose,
    NME=dict(test=5.87),
    checkpoint='https://download.openmmlab.com/mmpose/face/hourglass/hourglass52_coco_wholebody_face_256x256-6994cf2e_20210909.pth',
    log='https://download.openmmlab.com/mmpose/face/hourglass/hourglass52_coco_wholebody_face_256x256_20210909.log.json',
    bibtex=['hourglass', 'coco_wholebody'],
)
