"""RealNVP: an invertible network that turns a density into a normal one (https://arxiv.org/abs/1605.08803)."""

import math

import torch
from torch import Tensor, nn

_WIDTH, _STEPS = 64, 6


class RealNVP(nn.Module):
    """The density of points in the plane. Names and shapes of its tensors are those of MMPose's files."""

    mask: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('loc', torch.zeros(2))  # of the normal density; MMPose's files hold both
        self.register_buffer('cov', torch.eye(2))
        self.register_buffer('mask', torch.tensor([[0.0, 1.0], [1.0, 0.0]] * (_STEPS // 2)))
        self.s = nn.ModuleList(_network(nn.Tanh()) for _ in range(_STEPS))
        self.t = nn.ModuleList(_network() for _ in range(_STEPS))

    def log_prob(self, points: Tensor) -> Tensor:
        """The logarithm (N,) of the density at points (N, 2)."""
        log_determinant = torch.zeros_like(points[:, 0])
        for mask, scale, shift in reversed(list(zip(self.mask.unbind(), self.s, self.t, strict=True))):
            fixed = mask * points
            log_scale, offset = scale(fixed) * (1 - mask), shift(fixed) * (1 - mask)
            points = fixed + (1 - mask) * (points - offset) * torch.exp(-log_scale)
            log_determinant = log_determinant - log_scale.sum(1)
        return log_determinant - (points**2).sum(1) / 2 - math.log(2 * math.pi)


def _network(*last: nn.Module) -> nn.Sequential:
    """Three layers, which almost give 0 at the start, so that the flow starts as the identity."""
    layers = [nn.Linear(2, _WIDTH), nn.Linear(_WIDTH, _WIDTH), nn.Linear(_WIDTH, 2)]
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight, gain=0.01)
    return nn.Sequential(layers[0], nn.LeakyReLU(), layers[1], nn.LeakyReLU(), layers[2], *last)
