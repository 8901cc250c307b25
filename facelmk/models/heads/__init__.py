"""Heads: layers that map a tuple of feature maps to a list of stages. The last stage is the prediction."""

from .base import Head
from .box_head import BoxHead
from .heatmap_head import HeatmapHead
from .hourglass_head import HourglassHead
from .regression_head import RegressionHead
from .rle_head import RLEHead
from .rtmcc_head import RTMCCHead
from .stack_head import StackHead

__all__ = ['BoxHead', 'Head', 'HeatmapHead', 'HourglassHead', 'RLEHead', 'RTMCCHead', 'RegressionHead', 'StackHead']
