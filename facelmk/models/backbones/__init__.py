"""Backbones: they map crops (B, 3, S, S) to a tuple of feature maps. One architecture a file."""

from .base import Backbone
from .csp_next import CSPNeXt
from .dla import DLA
from .hourglass import Hourglass
from .hrnet import HRNet
from .mobilenet_v2 import MobileNetV2
from .nano_net import NanoNet
from .quick_net import QuickNet
from .resnet import ResNet
from .scene_net import SceneNet
from .scnet import SCNet
from .stacked_hourglass import StackedHourglass
from .timm_backbone import TimmBackbone
from .u_net import UNet

# fmt: off
__all__ = ['Backbone', 'CSPNeXt', 'DLA', 'HRNet', 'Hourglass', 'MobileNetV2', 'NanoNet', 'QuickNet', 'ResNet',
           'SCNet', 'SceneNet', 'StackedHourglass', 'TimmBackbone', 'UNet']
# fmt: on
