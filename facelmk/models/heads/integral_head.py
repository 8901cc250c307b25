"""The mean place of a map, which is a coordinate that gradients can reach (https://arxiv.org/abs/1711.08229)."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...registry import HEADS
from .base import Head, join, start


@HEADS.register_module()
class IntegralHead(Head):
    """One map a point at the size of the first feature, made a distribution by softmax, and its mean place.

    A cell lies where its pixels' centres lie, ((j + 0.5) * stride - 0.5) pixels: `stride` is the first feature's.
    `sharpness` multiplies the maps: a flat softmax passes little gradient on, and learns late.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, stride: int = 4, sharpness: float = 8.) -> None:
        super().__init__()
        self.stride, self.sharpness = stride, sharpness
        self.final_layer = nn.Conv2d(sum(in_channels), out_channels, 1)
        self.apply(start)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One stage of points (B, K, 2), as shares of the crop."""
        return [expectation(self.final_layer(join(features)) * self.sharpness, self.stride)]


def expectation(maps: Tensor, stride: int) -> Tensor:
    """The mean places (B, K, 2), as shares of the crop, of maps (B, K, H, W) of logarithms of chances.

    Sums, not a matrix product: mixed precision would round the product to a tenth of a cell.
    """
    chance = maps.flatten(-2).float().softmax(-1).unflatten(-1, maps.shape[-2:])
    sides = chance.sum(-2), chance.sum(-1)
    return torch.stack([(side * places(side.shape[-1], stride, side.device)).sum(-1) for side in sides], -1)


def places(length: int, stride: int, device: torch.device) -> Tensor:
    """Where `length` cells in a row lie, as shares of a crop of length * stride pixels."""
    return (torch.arange(length, device=device) + .5 - .5 / stride) / length
