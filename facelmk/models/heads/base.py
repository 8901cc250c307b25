"""The base class of heads, and two functions that several heads use."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import Ranges

MAPS = ('heatmaps', 'heatmaps of height 255', 'log-probabilities')  # the kinds of codecs that write maps


class Head(nn.Module):
    """Map features of `in_channels` to stages of `out_channels` channels. A head has no loss and does not decode.

    `kinds` are the kinds of codecs whose outputs it makes; none means any.
    """

    kinds: tuple[str, ...] = ()
    ranges: Ranges = {}

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The stages; the last one is the prediction."""
        raise TypeError(f'{type(self).__name__} must define forward()')


def concatenate(features: Sequence[Tensor]) -> Tensor:
    """Resize all feature maps to the size of the first and concatenate them."""
    first, *others = features
    if not others:
        return first
    size = first.shape[-2:]
    return torch.cat([first, *(F.interpolate(x, size, mode='bilinear', align_corners=False) for x in others)], 1)


def small_normal_init(module: nn.Module) -> None:
    """Initial weights of convolutions from a narrow normal distribution, as in https://arxiv.org/abs/1804.06208."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, std=0.001)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
