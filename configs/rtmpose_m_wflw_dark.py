"""RTMPose-m with DARK decoding of its rows of bins on WFLW; the weights of rtmpose_m_wflw fit."""

from mmengine.config import read_base

with read_base():
    from .rtmpose_m_wflw import *

model.codec.update(refine='dark')

result = dict(bibtex=['rtmpose', 'rtmdet', 'dark', 'wflw'])
