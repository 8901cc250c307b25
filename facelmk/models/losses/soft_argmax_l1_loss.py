"""L1 distance of soft-argmax coordinates: a second term beside a loss that shapes the heatmaps."""

from torch import Tensor

from ...registry import LOSSES
from .base import Loss
from .integral_loss import expected_cells

_MASS = 1.0  # sum of squared heights: 4 pi for a peak of sigma 2, less than 1 for a map without a peak


@LOSSES.register_module(name=['SoftArgmaxL1Loss', 'PlaceLoss'])  # PlaceLoss: its name in 0.1
class SoftArgmaxL1Loss(Loss):
    """The mean over points and axes of |soft-argmax of the output - soft-argmax of the target|, in cells.

    Output and target are maps with peaks of about 1. The soft-argmax weights each cell by its squared height, and
    negative cells by 0. Without the square, the many low background cells would pull the result to the middle of the
    grid, as they do with a softmax. The error of each map is multiplied by mass / (mass + 1), where mass is the sum of
    its squared heights. This bounds the gradient of maps that have no peak yet.

    Use it as a second term beside `AdaptiveWingLoss`, which shapes the peaks. Where heights are off by a tenth, a
    weight of .01 makes both terms equally strong; beside its `weight_map`, a weight of .1 does.
    """

    kinds = ('heatmaps', 'heatmaps of height 255')

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        predicted, mass = _soft_argmax(output)
        expected, target_mass = _soft_argmax(target)
        loss = (predicted - expected).abs().mean(-1) * mass / (mass + _MASS) * (target_mass > 0)
        return loss.mean() if weight is None else (loss * weight.flatten(2).squeeze(-1)).mean()


def _soft_argmax(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The mean cell (B, K, axes), weighted by squared heights, and the sum of these weights (B, K)."""
    weights = maps.clamp(min=0) ** 2
    mass = weights.flatten(2).sum(-1)
    return expected_cells(weights / mass.clamp(min=1e-8).view(*mass.shape, *[1] * (maps.dim() - 2))), mass
