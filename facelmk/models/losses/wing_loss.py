"""Wing loss: small and medium errors count more than in L1 (https://arxiv.org/abs/1711.06753)."""

import math

import torch
from torch import Tensor

from ...registry import LOSSES
from .base import Loss, sum_per_face, weighted


def wing(error: Tensor, omega: float, epsilon: float) -> Tensor:
    """Logarithmic below an error of `omega`, linear above."""
    error = error.abs()
    constant = omega - omega * math.log(1 + omega / epsilon)
    return torch.where(error < omega, omega * torch.log(1 + error / epsilon), error - constant)


@LOSSES.register_module()
class WingLoss(Loss):
    """Wing loss of coordinates, summed over each face.

    The paper chose `omega` and `epsilon` for pixels. scale=256 converts coordinates divided by 256 back to pixels;
    scale=1 is MMPose's choice.
    """

    kinds = ('points',)
    ranges = {'omega': (0.001, 1000), 'epsilon': (0.001, 1000), 'scale': (0.001, 10_000)}

    def __init__(self, omega: float = 10.0, epsilon: float = 2.0, scale: float = 1.0) -> None:
        super().__init__()
        self.omega, self.epsilon, self.scale = omega, epsilon, scale

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        output, target = weighted(output * self.scale, target * self.scale, weight)
        return sum_per_face(wing(target - output, self.omega, self.epsilon))
