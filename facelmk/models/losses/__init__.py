"""Losses: loss(output, target, weight) -> one number; a weight of 0 takes a point out."""
from .adaptive_wing_loss import AdaptiveWingLoss
from .base import Loss
from .heatmap_mse_loss import HeatmapMSELoss
from .integral_loss import IntegralLoss
from .kl_discret_loss import KLDiscretLoss
from .l1_loss import L1Loss
from .smooth_l1_loss import SmoothL1Loss
from .soft_wing_loss import SoftWingLoss
from .wing_loss import WingLoss

__all__ = ['AdaptiveWingLoss', 'HeatmapMSELoss', 'IntegralLoss', 'KLDiscretLoss', 'L1Loss', 'Loss', 'SmoothL1Loss',
           'SoftWingLoss', 'WingLoss']
