"""Regress coordinates and their spread from the image (https://arxiv.org/abs/2107.11291)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...registry import HEADS
from .regression_head import RegressionHead


@HEADS.register_module()
class RLEHead(RegressionHead):
    """Global average pooling of the last feature map and one linear layer: x, y and their spreads, for each point."""

    kinds = ('points and spreads',)  # of codecs
    values = 4

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One stage (B, K, 4): points divided by the side of the crop, and spreads from 0 to 1."""
        (values,) = super().forward(features)
        return [torch.cat((values[..., :2], values[..., 2:].sigmoid()), -1)]
