"""HRNetV2-W18 with UDP's combined maps on WFLW: a disc and two offset maps for each point."""

from mmengine.config import read_base

with read_base():
    from .hrnetv2_w18_wflw import *

model.codec = dict(type='UDPCombined')
model.loss = [dict(loss=dict(type='HeatmapMSELoss'), weight=1.5)]  # MMPose's CombinedTargetMSELoss

result = dict(bibtex=['hrnet', 'udp', 'wflw'])
