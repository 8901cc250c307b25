"""Smooth L1: squared for small errors, linear for large ones (https://arxiv.org/abs/1504.08083)."""

from torch import Tensor
from torch.nn import functional as F

from ...registry import LOSSES
from .base import Loss, weighted


@LOSSES.register_module()
class SmoothL1Loss(Loss):
    """The mean over all values. Output and target are multiplied by `scale`; above an error of `beta` it is linear."""

    ranges = {'beta': (0, 1000), 'scale': (0.001, 10_000)}

    def __init__(self, beta: float = 1.0, scale: float = 1.0) -> None:
        super().__init__()
        self.beta, self.scale = beta, scale

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        output, target = weighted(output * self.scale, target * self.scale, weight)
        return F.smooth_l1_loss(output, target, beta=self.beta)
