"""Regress coordinates from the image (https://arxiv.org/abs/1312.4659)."""

from collections.abc import Sequence

from torch import Tensor, nn

from ...registry import HEADS
from .base import Head


@HEADS.register_module()
class RegressionHead(Head):
    """Global average pooling of the last feature map and one linear layer: x and y of each point."""

    kinds = ('points',)
    values = 2  # of each point
    ranges = {'in_channels': (1, 65536), 'out_channels': (1, 65536)}

    def __init__(self, in_channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(in_channels[-1], out_channels * self.values)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One stage of points (B, K, 2), divided by the side of the crop."""
        return [self.fc(features[-1].mean((-2, -1))).unflatten(-1, (-1, self.values))]
