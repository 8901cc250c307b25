"""Integral regression: compare the softmax of the maps, and their expected coordinates."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import FacelmkError
from ...registry import LOSSES
from .base import Loss


@LOSSES.register_module()
class IntegralLoss(Loss):
    """`spread` * Kullback-Leibler divergence + `place` * L1 distance of the expected coordinates, in cells.

    Output and target are maps of log-probabilities. The divergence gives each cell a gradient from the start; the
    distance is the error that matters (https://arxiv.org/abs/1711.08229, https://arxiv.org/abs/1801.07372).
    """

    kinds = ('log-probabilities',)
    ranges = {'spread': (0, 1000), 'place': (0, 1000)}

    def __init__(self, spread: float = 0.3, place: float = 1.0) -> None:
        super().__init__()
        self.spread, self.place = spread, place

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        """Refuse a loss that is always 0."""
        if values.get('spread') == values.get('place') == 0:
            raise FacelmkError('IntegralLoss: spread=0, place=0. Expected one of them above 0')

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        log_p, log_q = (maps.flatten(2).log_softmax(-1) for maps in (output, target))
        divergence = F.kl_div(log_p, log_q, reduction='none', log_target=True).sum(-1)
        difference = expected_cells(log_p.exp().view_as(output)) - expected_cells(log_q.exp().view_as(target))
        loss = self.spread * divergence + self.place * difference.abs().mean(-1)
        return loss.mean() if weight is None else (loss * weight.flatten(2).squeeze(-1)).mean()


def expected_cells(probability: Tensor) -> Tensor:
    """The expected cell (B, K, axes) along each axis of maps (B, K, ...) of probabilities."""
    axes = range(2, probability.dim())
    marginals = [
        probability.sum([other for other in axes if other != axis]) if probability.dim() > 3 else probability
        for axis in axes
    ]
    return torch.stack([(m * torch.arange(m.shape[-1], device=m.device)).sum(-1) for m in marginals], -1)
