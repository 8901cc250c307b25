"""Losses: loss(output, target, weight) -> scalar. Points of weight 0 do not change it."""

from .adaptive_wing_loss import AdaptiveWingLoss
from .base import Loss
from .box_maps_loss import BoxMapsLoss
from .focal_heatmap_loss import FocalHeatmapLoss
from .heatmap_mse_loss import HeatmapMSELoss
from .integral_loss import IntegralLoss
from .kl_discret_loss import KLDiscretLoss
from .l1_loss import L1Loss
from .ohkm_loss import OHKMLoss
from .rle_loss import RLELoss
from .smooth_l1_loss import SmoothL1Loss
from .soft_argmax_l1_loss import SoftArgmaxL1Loss
from .soft_wing_loss import SoftWingLoss
from .star_loss import STARLoss
from .wing_loss import WingLoss

# fmt: off
__all__ = ['AdaptiveWingLoss', 'BoxMapsLoss', 'FocalHeatmapLoss', 'HeatmapMSELoss', 'IntegralLoss', 'KLDiscretLoss',
           'L1Loss', 'Loss', 'OHKMLoss', 'RLELoss', 'STARLoss', 'SmoothL1Loss', 'SoftArgmaxL1Loss', 'SoftWingLoss',
           'WingLoss']
# fmt: on
