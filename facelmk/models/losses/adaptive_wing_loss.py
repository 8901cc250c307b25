"""Adaptive wing loss: a wing on the bumps of a heatmap, a square on its plain (https://arxiv.org/abs/1904.07399)."""
import torch
from torch import Tensor

from ...registry import LOSSES
from .base import Loss, weighted


def adaptive_wing(error: Tensor, target: Tensor, alpha: float, omega: float, epsilon: float, theta: float) -> Tensor:
    """A logarithm of a power below `theta`, a straight line above; the power falls as the target rises."""
    error, power = error.abs(), alpha - target
    knee = (theta / epsilon) ** power
    slope = omega / (1 + knee) * power * (theta / epsilon) ** (power - 1) / epsilon
    step = theta * slope - omega * torch.log(1 + knee)
    return torch.where(error < theta, omega * torch.log(1 + (error / epsilon) ** power), slope * error - step)


@LOSSES.register_module()
class AdaptiveWingLoss(Loss):
    """The mean over all cells of all maps."""

    def __init__(self, alpha: float = 2.1, omega: float = 14., epsilon: float = 1., theta: float = .5) -> None:
        super().__init__()
        self.alpha, self.omega, self.epsilon, self.theta = alpha, omega, epsilon, theta

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        output, target = weighted(output, target, weight)
        return adaptive_wing(target - output, target, self.alpha, self.omega, self.epsilon, self.theta).mean()
