"""HRNetV2-W18 heatmaps with DARK decoding on COCO-WholeBody-Face."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_coco_wholebody_face import *

model.codec.update(centre='exact', refine='dark')

result = dict(
    source='MMPose 1.x, there as 0.0513',
    protocol=protocols.mmpose,
    NME=dict(test=5.13),
    checkpoint='https://download.openmmlab.com/mmpose/face/darkpose/hrnetv2_w18_coco_wholebody_face_256x256_dark-3d9a334e_20210909.pth',
    log='https://download.openmmlab.com/mmpose/face/darkpose/hrnetv2_w18_coco_wholebody_face_256x256_dark_20210909.log.json',
    bibtex=['hrnet', 'dark', 'coco_wholebody'],
)
