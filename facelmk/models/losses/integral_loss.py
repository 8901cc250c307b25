"""Maps of logarithms: as chances they should be the target's, and so should their mean places."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ...registry import LOSSES
from .base import Loss


@LOSSES.register_module()
class IntegralLoss(Loss):
    """`spread` * Kullback-Leibler divergence + `place` * distance of the mean places, in cells along each side.

    The first part gives every cell a gradient from the start, the second is the error itself
    (https://arxiv.org/abs/1711.08229, https://arxiv.org/abs/1801.07372).
    """

    def __init__(self, spread: float = 0.3, place: float = 1.0) -> None:
        super().__init__()
        self.spread, self.place = spread, place

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        found, wanted = (maps.flatten(2).log_softmax(-1) for maps in (output, target))
        spread = F.kl_div(found, wanted, reduction='none', log_target=True).sum(-1)
        place = (mean_places(found.exp().view_as(output)) - mean_places(wanted.exp().view_as(target))).abs().mean(-1)
        loss = self.spread * spread + self.place * place
        return loss.mean() if weight is None else (loss * weight.flatten(2).squeeze(-1)).mean()


def mean_places(chance: Tensor) -> Tensor:
    """The mean cell (B, K, sides) along each side of maps (B, K, ...) of chances."""
    sides = range(2, chance.dim())
    marginals = [
        chance.sum([other for other in sides if other != side]) if chance.dim() > 3 else chance for side in sides
    ]
    return torch.stack([(m * torch.arange(m.shape[-1], device=m.device)).sum(-1) for m in marginals], -1)
