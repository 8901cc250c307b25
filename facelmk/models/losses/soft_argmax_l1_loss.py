"""The mean places of heatmaps: integral regression on maps that another loss shapes."""

from torch import Tensor

from ...registry import LOSSES
from .base import Loss
from .integral_loss import mean_places

_MASS = 1.0  # squared height: a bump of sigma 2 has 4 pi, a map that shows nothing yet less than this


@LOSSES.register_module(name=['SoftArgmaxL1Loss', 'PlaceLoss'])  # PlaceLoss: its name in 0.1
class SoftArgmaxL1Loss(Loss):
    """The mean over points and sides of |mean place of the output - mean place of the target|, in cells.

    Both are maps whose bumps are about 1 high; a cell's share in the mean is its height squared, negative ones have
    none. Squares keep the many low cells of the plain from pulling the mean to the middle of the grid, as they do to
    heights themselves and to a softmax. A map's error counts by mass / (mass + 1), mass the sum of its squares, which
    bounds the gradient: while nothing stands out, there is no place to move.
    It is the second term beside `AdaptiveWingLoss`, which makes the bumps: where heights are a tenth off, a weight of
    .01 makes both equally strong, .1 beside its `weight_map`.
    """

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        found, mass = _place(output)
        wanted, there = _place(target)
        loss = (found - wanted).abs().mean(-1) * mass / (mass + _MASS) * (there > 0)
        return loss.mean() if weight is None else (loss * weight.flatten(2).squeeze(-1)).mean()


def _place(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The mean place (B, K, sides) of squared heights, and their sum (B, K)."""
    shares = maps.clamp(min=0) ** 2
    mass = shares.flatten(2).sum(-1)
    return mean_places(shares / mass.clamp(min=1e-8).view(*mass.shape, *[1] * (maps.dim() - 2))), mass
