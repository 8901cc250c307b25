"""Soft wing loss: L1 for small errors, which then do not outweigh the rest (https://arxiv.org/abs/2006.11697)."""

import math

import torch
from torch import Tensor

from ...registry import LOSSES
from .base import Loss, sum_a_face, weighted


def soft_wing(error: Tensor, omega1: float, omega2: float, epsilon: float) -> Tensor:
    """A straight line below `omega1`, a logarithm above."""
    error = error.abs()
    step = omega1 - omega2 * math.log(1 + omega1 / epsilon)
    return torch.where(error < omega1, error, omega2 * torch.log(1 + error / epsilon) + step)


@LOSSES.register_module()
class SoftWingLoss(Loss):
    """Soft wing loss of coordinates, summed over a face; `scale` as for the wing loss."""

    def __init__(self, omega1: float = 2.0, omega2: float = 20.0, epsilon: float = 0.5, scale: float = 1.0) -> None:
        super().__init__()
        self.omega1, self.omega2, self.epsilon, self.scale = omega1, omega2, epsilon, scale

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        output, target = weighted(output * self.scale, target * self.scale, weight)
        return sum_a_face(soft_wing(target - output, self.omega1, self.omega2, self.epsilon))
