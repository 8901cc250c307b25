"""What a head promises, and how feature maps of several sizes become one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Head(nn.Module):
    """Feature maps of `in_channels` to stages of `out_channels` channels; no loss, no decoding."""

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The stages; the last one is the answer."""
        raise TypeError(f'{type(self).__name__} must say what it makes of the features')


def join(features: Sequence[Tensor]) -> Tensor:
    """All feature maps at the size of the first, one behind the other."""
    first, *rest = features
    if not rest:
        return first
    size = first.shape[-2:]
    return torch.cat([first, *(F.interpolate(x, size, mode='bilinear', align_corners=False) for x in rest)], 1)


def start(module: nn.Module) -> None:
    """Small random weights for everything that convolves, as in https://arxiv.org/abs/1804.06208."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, std=0.001)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
