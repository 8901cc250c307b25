"""Square near zero, straight beyond (https://arxiv.org/abs/1504.08083)."""

from torch import Tensor
from torch.nn import functional as F

from ...registry import LOSSES
from .base import Loss, weighted


@LOSSES.register_module()
class SmoothL1Loss(Loss):
    """The mean over all numbers; the bend lies at an error of `beta` once output and target are times `scale`."""

    def __init__(self, beta: float = 1.0, scale: float = 1.0) -> None:
        super().__init__()
        self.beta, self.scale = beta, scale

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        output, target = weighted(output * self.scale, target * self.scale, weight)
        return F.smooth_l1_loss(output, target, beta=self.beta)
