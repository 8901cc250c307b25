"""Mean squared error of heatmaps (https://arxiv.org/abs/1804.06208)."""

from torch import Tensor
from torch.nn import functional

from ...registry import LOSSES
from .base import Loss


@LOSSES.register_module()
class HeatmapMSELoss(Loss):
    """The mean over all cells of all maps of weight * (output - target)^2."""

    kinds = ('heatmaps', 'heatmaps of height 255')

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        if weight is None:
            return functional.mse_loss(output, target)
        error = functional.mse_loss(output, target, reduction='none')
        if weight.shape[-2:] == (1, 1):  # the same for all cells of a map: a product for each map is enough
            return (error.sum((-2, -1), keepdim=True) * weight).sum() / output.numel()
        return (error * weight).mean()
