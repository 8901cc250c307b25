"""STAR: an error in the direction in which a map is spread counts less (https://arxiv.org/abs/2306.02763)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ...codecs.moments import covariance
from ...registry import LOSSES
from .base import Loss
from .integral_loss import expected_cells

_EPSILON = 1e-5  # added to each variance, as in the paper


@LOSSES.register_module()
class STARLoss(Loss):
    """Sum over both principal axes of a map: smooth L1 of the error / standard deviation + `spread` * variance.

    Output and target are maps of log-probabilities. The axes are those of the covariance of the output's softmax; the
    error is the distance of the expected coordinates, along an axis. Lengths are in halves of the longer side of the
    map, as in the paper. `beta` is the error from which smooth L1 is linear. `spread` keeps the maps narrow.
    Use it as a second term beside `IntegralLoss`, which forms the peaks.
    """

    comparable = False  # a map narrower than the target has a smaller loss
    kinds = ('log-probabilities',)
    ranges = {'spread': (0, 1000), 'beta': (0, 1, True)}

    def __init__(self, spread: float = 1.0, beta: float = 0.01) -> None:
        super().__init__()
        self.spread, self.beta = spread, beta

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        p, q = (_probability(maps) for maps in (output, target))
        cell = 2 / max(p.shape[-2:])
        variances, axes = principal_axes(p)
        error = ((expected_cells(p) - expected_cells(q)).unsqueeze(-2) * axes).sum(-1) * cell
        variances = variances * cell**2
        distance = F.smooth_l1_loss(error, torch.zeros_like(error), reduction='none', beta=self.beta)
        loss = (distance / (variances + _EPSILON).sqrt() + self.spread * variances).sum(-1)
        return loss.mean() if weight is None else (loss * weight.flatten(2).squeeze(-1)).mean()


def _probability(maps: Tensor) -> Tensor:
    """The softmax (B, K, H, W) of the maps; a map with one axis becomes one row."""
    maps = maps if maps.dim() == 4 else maps.unsqueeze(-2)
    return maps.flatten(2).softmax(-1).view_as(maps)


def principal_axes(probability: Tensor) -> tuple[Tensor, Tensor]:
    """The variances (B, K, 2) of maps in squared cells, the larger first, and their axes (B, K, 2, 2) as rows (y, x).

    The closed form for 2x2 matrices; unlike `torch.linalg.eigh`, it has finite gradients where both variances are
    equal. The axes have no gradient, as in the paper. The variances are those of a weighted sample, without its bias.
    """
    unbiased = 1 / (1 - probability.square().sum((-2, -1))).clamp(min=1e-6)
    moments = covariance(probability) * unbiased[..., None, None]
    xx, xy, yy = moments[..., 0, 0], moments[..., 0, 1], moments[..., 1, 1]
    middle, radius = (xx + yy) / 2, (((xx - yy) / 2).square() + xy.square() + 1e-12).sqrt()
    angle = (torch.atan2(2 * xy, xx - yy) / 2).detach()
    sine, cosine = angle.sin(), angle.cos()
    axes = torch.stack([torch.stack([sine, cosine], -1), torch.stack([cosine, -sine], -1)], -2)
    return torch.stack([middle + radius, (middle - radius).clamp(min=0)], -1), axes
