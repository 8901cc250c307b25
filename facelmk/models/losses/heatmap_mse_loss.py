"""Mean squared error of heatmaps (https://arxiv.org/abs/1804.06208)."""

from torch import Tensor

from ...registry import LOSSES
from .base import Loss


@LOSSES.register_module()
class HeatmapMSELoss(Loss):
    """The mean over all cells of all maps of weight * (output - target)^2."""

    kinds = ('heatmaps', 'heatmaps of height 255')

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        error = (output - target) ** 2
        return error.mean() if weight is None else (error * weight).mean()
