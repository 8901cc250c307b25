"""Integral regression: maps of log-probabilities, decoded to the expected coordinates."""

import torch
from torch import Tensor

from ..registry import CODECS
from .base import Codec, divide_axes, inside, multiply_axes
from .moments import covariance


@CODECS.register_module()
class Integral(Codec):
    """Maps (B, K, H, W) on the aligned grid, cell = (x + 0.5) / stride - 0.5 (https://arxiv.org/abs/1711.08229).

    The target is the logarithm of a Gaussian of `sigma` cells. The score is the highest probability of a cell.
    """

    tolerance = 0.01
    margin = 32.0
    has_spread = True
    kind = 'log-probabilities'
    ranges = {'sigma': (0.5, 20)}

    def __init__(self, sigma: float = 1.25) -> None:
        self.sigma = sigma

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        H, W = like.shape[-2:]
        cells = divide_axes(points.float() + 0.5, (size / W, size / H)) - 0.5
        log_x, log_y = (
            -((torch.arange(length, device=points.device) - cells[..., i, None]) ** 2) / (2 * self.sigma**2)
            for i, length in enumerate((W, H))
        )
        weight = inside(points, visible, size).to(like)[..., None, None]
        maps = (log_y[..., :, None] + log_x[..., None, :]).clamp(min=-40)  # below -40, exp() is slow and about 0
        return maps.to(like) * weight, weight

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        H, W = output.shape[-2:]
        probability = self.probability(output)
        # sums instead of a matrix product, which mixed precision would round to a tenth of a cell
        cells = [
            (marginal * torch.arange(length, device=marginal.device)).sum(-1)
            for marginal, length in ((probability.sum(-2), W), (probability.sum(-1), H))
        ]
        return multiply_axes(torch.stack(cells, -1) + 0.5, (size / W, size / H)) - 0.5, probability.amax((-2, -1))

    def probability(self, output: Tensor) -> Tensor:
        """The probability of each cell."""
        return output.flatten(-2).float().softmax(-1).unflatten(-1, output.shape[-2:])

    def spread(self, output: Tensor, size: int) -> Tensor:
        H, W = output.shape[-2:]
        stride = multiply_axes(torch.ones(2, device=output.device), (size / W, size / H))
        return covariance(self.probability(output)) * stride * stride[:, None]

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        return output.flip(-1)[:, mirror]
