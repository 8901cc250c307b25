"""Adaptive wing loss: a wing on the bumps of a heatmap, a square on its plain (https://arxiv.org/abs/1904.07399)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import FacelmkError, UnknownName, did_you_mean
from ...registry import LOSSES
from .base import Loss, weighted


def adaptive_wing(error: Tensor, target: Tensor, alpha: float, omega: float, epsilon: float, theta: float) -> Tensor:
    """A logarithm of a power below `theta`, a straight line above; the power falls as the target rises."""
    error, power = error.abs(), alpha - target
    knee = (theta / epsilon) ** power
    slope = omega / (1 + knee) * power * (theta / epsilon) ** (power - 1) / epsilon
    step = theta * slope - omega * torch.log(1 + knee)
    return torch.where(error < theta, omega * torch.log(1 + (error / epsilon) ** power), slope * error - step)


@dataclass(frozen=True)
class WeightMap:
    """Cells near a bump count `weight` times more: those within `dilation` cells of one at least `threshold` high."""

    threshold: float = 0.2
    weight: float = 10.0
    dilation: int = 3

    def __post_init__(self) -> None:
        if self.dilation < 1 or self.dilation % 2 == 0:
            raise FacelmkError(
                f'AdaptiveWingLoss: dilation={self.dilation} in weight_map; it is the odd width of the '
                'square of cells that a cell spreads to, as 3'
            )

    def __call__(self, target: Tensor) -> Tensor:
        """1 + weight near bumps, 1 elsewhere."""
        spread = F.max_pool2d(target, self.dilation, 1, self.dilation // 2)
        return 1 + self.weight * (spread >= self.threshold)


@LOSSES.register_module()
class AdaptiveWingLoss(Loss):
    """The mean over all cells of all maps, whose bumps are about 1 high: the logarithm turns at `theta` of that height.

    `weight_map` multiplies each cell's loss by weight * M + 1, M = 1 in the 3 x 3 cells (`dilation`) around cells of
    the target of at least `threshold`; dict() takes the paper's .2 and 10, SeungyounShin's code has a threshold of .5.
    """

    def __init__(
        self,
        alpha: float = 2.1,
        omega: float = 14.0,
        epsilon: float = 1.0,
        theta: float = 0.5,
        weight_map: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.alpha, self.omega, self.epsilon, self.theta = alpha, omega, epsilon, theta
        known = WeightMap.__dataclass_fields__
        for key in set(weight_map or ()) - set(known):
            raise UnknownName(f'AdaptiveWingLoss: {key!r} in weight_map. {did_you_mean(key, known)}')
        self.weight_map = None if weight_map is None else WeightMap(**weight_map)

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        near_bumps = None if self.weight_map is None else self.weight_map(target)
        output, target = weighted(output, target, weight)
        loss = adaptive_wing(target - output, target, self.alpha, self.omega, self.epsilon, self.theta)
        return loss.mean() if near_bumps is None else (loss * near_bumps).mean()
