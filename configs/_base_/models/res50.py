"""ResNet-50 with three deconvolutions and heatmaps; grid and flip test are those of MMPose's published checkpoints."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18 import *

model.backbone = dict(type='ResNet', depth=50, pretrained='torchvision://resnet50')
model.head = dict(type='HeatmapHead', deconvs=3)
