"""Predict box maps: the logit of a face's centre, its offset and the logarithms of its sides."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from ...registry import HEADS
from .base import Head, concatenate, small_normal_init


@HEADS.register_module()
class BoxHead(Head):
    """One 1x1 convolution from all features, resized to the first and concatenated, to the maps of `BoxMaps`.

    At the start each cell is a centre with probability `prior`, so that the many cells without a face do not govern
    the first steps (https://arxiv.org/abs/1708.02002).
    """

    kinds = ('box maps',)
    ranges = {'in_channels': (1, 65536), 'out_channels': (5, 5), 'prior': (1e-6, 0.5)}

    def __init__(self, in_channels: Sequence[int], out_channels: int = 5, prior: float = 0.01) -> None:
        super().__init__()
        self.final_layer = nn.Conv2d(sum(in_channels), out_channels, 1)
        self.apply(small_normal_init)
        assert self.final_layer.bias is not None
        nn.init.constant_(self.final_layer.bias[:1], math.log(prior / (1 - prior)))
        nn.init.constant_(self.final_layer.bias[3:], 1.5)  # a side of 36 pixels

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One stage of maps (B, 5, H, W)."""
        return [self.final_layer(concatenate(features))]
