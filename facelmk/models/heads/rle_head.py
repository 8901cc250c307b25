"""Regress coordinates and their spread from the image (https://arxiv.org/abs/2107.11291)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...registry import HEADS
from .base import Head


@HEADS.register_module()
class RLEHead(Head):
    """Global average pooling of the last feature map and one linear layer: x, y and their spreads, for each point."""

    kinds = ('points and spreads',)  # of codecs
    ranges = {'in_channels': (1, 65536), 'out_channels': (1, 65536)}

    def __init__(self, in_channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_channels[-1], out_channels * 4)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One stage (B, K, 4): points divided by the side of the crop, and spreads from 0 to 1."""
        values = self.fc(features[-1].mean((-2, -1))).unflatten(-1, (-1, 4))
        return [torch.cat((values[..., :2], values[..., 2:].sigmoid()), -1)]
