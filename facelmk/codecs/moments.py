"""The second moments of maps: how far the probability of a point is spread out, and along which direction."""

import math

import torch
from torch import Tensor

FLOOR = 0.2  # of a map's maximum: what is lower counts as noise
# A Gaussian without what is below FLOOR has a smaller variance than the whole; this is the ratio of both.
_LOG = -math.log(FLOOR)
KEPT_VARIANCE = (1 - FLOOR * (1 + _LOG + _LOG**2 / 2)) / (1 - FLOOR * (1 + _LOG))


def covariance(weights: Tensor) -> Tensor:
    """The covariance (B, K, 2, 2) in squared cells, x first, of maps (B, K, H, W) of weights that are not negative."""
    total = weights.sum((-2, -1)).clamp(min=torch.finfo(weights.dtype).tiny)
    columns, rows = weights.sum(-2) / total[..., None], weights.sum(-1) / total[..., None]
    x, y = (_centred(marginal) for marginal in (columns, rows))
    # sums instead of a matrix product, which mixed precision would round
    xy = ((weights * x[..., None, :]).sum(-1) * y).sum(-1) / total
    xx, yy = (columns * x**2).sum(-1), (rows * y**2).sum(-1)
    return torch.stack((xx, xy, xy, yy), -1).unflatten(-1, (2, 2))


def _centred(marginal: Tensor) -> Tensor:
    """The distances (B, K, N) of the cells from the mean of a distribution (B, K, N) over them."""
    cells = torch.arange(marginal.shape[-1], device=marginal.device, dtype=marginal.dtype)
    return cells - (marginal * cells).sum(-1, keepdim=True)


def heatmap_covariance(maps: Tensor) -> Tensor:
    """The covariance (B, K, 2, 2) in squared cells of heatmaps (B, K, H, W) with noise.

    What is below a fifth of the maximum does not count: noise on thousands of cells would outweigh the peak. The result
    is scaled so that a Gaussian of sigma cells has the variance sigma^2. An empty map is as uncertain as an even one.
    """
    highest = maps.amax((-2, -1), keepdim=True)
    weights = (maps - FLOOR * highest).clamp(min=0)
    return covariance(torch.where(highest > 0, weights, torch.ones_like(maps))) / KEPT_VARIANCE
