"""Residual log-likelihood: coordinates with a learnt density of their errors (https://arxiv.org/abs/2107.11291)."""

import math

import torch
from torch import Tensor

from ...errors import UnknownName, did_you_mean
from ...registry import LOSSES
from .base import Loss, sum_per_face
from .real_nvp import RealNVP

_MIN_SPREAD = 1e-6  # of the crop's side; at 0 the density would be infinite
_DISTRIBUTIONS = ('laplace', 'gaussian')


@LOSSES.register_module()
class RLELoss(Loss):
    """The negative log-likelihood of outputs (B, K, 4), x, y and their spreads, summed over each face.

    The error divided by the spread has a density that a flow learns. With `residual` the flow only learns what
    `q_distribution`, 'laplace' or 'gaussian', leaves over. As in MMPose, the density of a point counts for x and for y.
    """

    comparable = False
    kinds = ('points and spreads',)  # of codecs

    def __init__(self, residual: bool = True, q_distribution: str = 'laplace') -> None:
        super().__init__()
        if q_distribution not in _DISTRIBUTIONS:
            raise UnknownName(
                f'RLELoss: q_distribution={q_distribution!r}. {did_you_mean(q_distribution, _DISTRIBUTIONS)}'
            )
        self.residual, self.q_distribution = residual, q_distribution
        self.flow_model = RealNVP()

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        spread = output[..., 2:4].clamp(min=_MIN_SPREAD)
        error = (output[..., :2] - target[..., :2]) / spread
        with torch.autocast(output.device.type, enabled=False):  # errors of many spreads do not fit into half precision
            log_density = self.flow_model.log_prob(error.float().flatten(0, -2)).view(*error.shape[:-1], 1)
        loss = spread.log() - log_density
        if self.residual:
            loss = loss + self._residual(error, spread)
        return sum_per_face(loss if weight is None else loss * weight[..., :2])

    def _residual(self, error: Tensor, spread: Tensor) -> Tensor:
        """The negative logarithm of the fixed density."""
        if self.q_distribution == 'laplace':
            return torch.log(2 * spread) + error.abs()
        return torch.log(math.sqrt(2 * math.pi) * spread) + error**2 / 2
