"""Mean absolute error."""

from torch import Tensor
from torch.nn import functional as F

from ...registry import LOSSES
from .base import Loss, weighted


@LOSSES.register_module()
class L1Loss(Loss):
    """The mean over all values of |output - target|."""

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        return F.l1_loss(*weighted(output, target, weight))
