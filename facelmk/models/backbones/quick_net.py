"""A small network that trains within minutes on two cores: depthwise convolutions on a pyramid of three sizes.

What is costly on a CPU decides its form (measured, training, one core): with the channels of a pixel side by side in
memory a depthwise 3x3 takes a tenth of a dense one's time or less; 64 channels at stride 4 cost seven times what they
cost at stride 8. So little is done at stride 4, and most at stride 16.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES
from .base import Backbone
from .blocks import conv_norm


def _dense(width: int, out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(*conv_norm(width, out, kernel, stride), nn.ReLU(inplace=True))


class Separable(nn.Module):
    """x + 1x1(depthwise(x)) (https://arxiv.org/abs/1704.04861)."""

    def __init__(self, width: int, kernel: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *conv_norm(width, width, kernel, groups=width), nn.ReLU(inplace=True), *conv_norm(width, width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


@BACKBONES.register_module()
class QuickNet(Backbone):
    """One feature map of `width` channels at stride 4, with what strides 8 and 16 know added to it.

    `widths` and `depths` are those of the three sizes.
    """

    stages = 3

    def __init__(
        self,
        width: int = 64,
        widths: Sequence[int] = (32, 96, 256),
        depths: Sequence[int] = (1, 3, 4),
        pretrained: str | None = None,
        frozen_stages: int = -1,
    ) -> None:
        super().__init__(pretrained, frozen_stages)
        before = [16, *widths]
        self.out_channels = (width,)
        self.stem = _dense(3, before[0], stride=2)
        self.levels = nn.ModuleList(
            nn.Sequential(_dense(before[i], w, stride=2), *(Separable(w, 3 if i == 0 else 5) for _ in range(depth)))
            for i, (w, depth) in enumerate(zip(widths, depths, strict=True))
        )
        self.sides = nn.ModuleList(nn.Sequential(*conv_norm(w, width, 1)) for w in widths)
        self.out = Separable(width)
        self.apply(_start)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.stem,) if index == 0 else (self.levels[index - 1],)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(image.contiguous(memory_format=torch.channels_last))
        features = []
        for level, side in zip(self.levels, self.sides, strict=True):
            x = level(x)
            features.append(side(x))
        total = features.pop()
        while features:
            total = features.pop() + F.interpolate(total, scale_factor=2, mode='bilinear', align_corners=False)
        return (self.out(F.relu(total)),)


def _start(module: nn.Module) -> None:
    """He's start (https://arxiv.org/abs/1502.01852)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
