"""Adaptive wing loss: logarithmic on the peaks of a heatmap, nearly squared on its background (https://arxiv.org/abs/1904.07399)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import FacelmkError, UnknownName, did_you_mean
from ...registry import LOSSES, Range
from .base import Loss, weighted


def adaptive_wing(error: Tensor, target: Tensor, alpha: float, omega: float, epsilon: float, theta: float) -> Tensor:
    """The paper's equation 3: logarithmic below an error of `theta`, linear above; the exponent is alpha - target."""
    error, exponent = error.abs(), alpha - target
    at_theta = (theta / epsilon) ** exponent
    slope = omega / (1 + at_theta) * exponent * (theta / epsilon) ** (exponent - 1) / epsilon
    constant = theta * slope - omega * torch.log(1 + at_theta)  # makes the two pieces meet at theta
    return torch.where(error < theta, omega * torch.log(1 + (error / epsilon) ** exponent), slope * error - constant)


@dataclass(frozen=True)
class WeightMap:
    """The weight of each cell: 1 + `weight` near a peak, 1 elsewhere.

    A cell is near a peak if the square of `dilation` cells around it has a target of at least `threshold`.
    """

    threshold: float = 0.2
    weight: float = 10.0
    dilation: int = 3

    def __post_init__(self) -> None:
        if self.dilation < 1 or self.dilation % 2 == 0:
            raise FacelmkError(
                f'AdaptiveWingLoss: dilation={self.dilation} in weight_map. Expected an odd width in cells, such as 3.'
            )

    def __call__(self, target: Tensor) -> Tensor:
        """The weights (B, K, H, W) for a target."""
        highest_nearby = F.max_pool2d(target, self.dilation, 1, self.dilation // 2)
        return 1 + self.weight * (highest_nearby >= self.threshold)


@LOSSES.register_module()
class AdaptiveWingLoss(Loss):
    """The mean over all cells of all maps, for peaks of height 1; the loss is linear above an error of `theta`.

    `weight_map` multiplies the loss of each cell by weight * M + 1. M is 1 in the 3 x 3 cells (`dilation`) around each
    target cell of at least `threshold`, 0 elsewhere. dict() takes the paper's values .2 and 10; SeungyounShin's code
    has a threshold of .5.
    """

    kinds = ('heatmaps',)
    ranges = {
        'alpha': (1, 10, True),  # the exponent is alpha - target, which must be above 0
        'omega': (0, 1000, True),
        'epsilon': (0.001, 100),
        'theta': (0.001, 10),
        'weight_map': {'threshold': (0, 1), 'weight': (0, 1000), 'dilation': Range(1, 31, step=2)},
    }

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
        fields = WeightMap.__dataclass_fields__
        for key in set(weight_map or ()) - set(fields):
            raise UnknownName(f'AdaptiveWingLoss: unknown key {key!r} in weight_map. {did_you_mean(key, fields)}')
        self.weight_map = None if weight_map is None else WeightMap(**weight_map)

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        cell_weights = None if self.weight_map is None else self.weight_map(target)
        output, target = weighted(output, target, weight)
        loss = adaptive_wing(target - output, target, self.alpha, self.omega, self.epsilon, self.theta)
        return loss.mean() if cell_weights is None else (loss * cell_weights).mean()
