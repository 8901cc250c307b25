"""Soft wing loss: linear for small errors, logarithmic for larger ones (https://arxiv.org/abs/2006.11697)."""

import math

import torch
from torch import Tensor

from ...registry import LOSSES
from .base import Loss, sum_per_face, weighted


def soft_wing(error: Tensor, omega1: float, omega2: float, epsilon: float) -> Tensor:
    """Linear below an error of `omega1`, logarithmic above."""
    error = error.abs()
    constant = omega1 - omega2 * math.log(1 + omega1 / epsilon)
    return torch.where(error < omega1, error, omega2 * torch.log(1 + error / epsilon) + constant)


@LOSSES.register_module()
class SoftWingLoss(Loss):
    """Soft wing loss of coordinates, summed over each face; `scale` as in `WingLoss`."""

    kinds = ('points',)
    ranges = {'omega1': (0.001, 1000), 'omega2': (0.001, 1000), 'epsilon': (0.001, 1000), 'scale': (0.001, 10_000)}

    def __init__(self, omega1: float = 2.0, omega2: float = 20.0, epsilon: float = 0.5, scale: float = 1.0) -> None:
        super().__init__()
        self.omega1, self.omega2, self.epsilon, self.scale = omega1, omega2, epsilon, scale

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        output, target = weighted(output * self.scale, target * self.scale, weight)
        return sum_per_face(soft_wing(target - output, self.omega1, self.omega2, self.epsilon))
