"""Coordinates and their spread, for regression by likelihood (https://arxiv.org/abs/2107.11291)."""

import torch
from torch import Tensor

from ..registry import CODECS
from .coordinates import Coordinates


@CODECS.register_module()
class RLE(Coordinates):
    """Values (B, K, 4): x, y as in `Coordinates`, then their spreads, from 0 to 1, in sides of the crop.

    The score is 1 - the mean of both spreads. Targets have spreads of 0 with weight 0: they follow from the loss,
    `RLELoss`, and not from the annotation.
    """

    kind = 'points and spreads'

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        target, weight = super().encode(points, visible, like[..., :2], size)
        nothing = torch.zeros_like(target)
        return torch.cat((target, nothing), -1), torch.cat((weight.expand_as(target), nothing), -1)

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        coordinates, spread = output.split(2, -1)
        return super().decode(coordinates, size)[0], 1 - spread.mean(-1)

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        coordinates, spread = output.split(2, -1)
        return torch.cat((super().flip(coordinates, mirror, size), spread[:, mirror]), -1)
