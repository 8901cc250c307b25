"""Backbones: crops (B, 3, S, S) in, a tuple of feature maps out, one architecture a file."""
from .base import Backbone
from .csp_next import CSPNeXt
from .hrnet import HRNet
from .quick_net import QuickNet
from .resnet import ResNet

__all__ = ['Backbone', 'CSPNeXt', 'HRNet', 'QuickNet', 'ResNet']
