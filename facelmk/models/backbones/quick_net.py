"""QuickNet: a small network that trains within minutes on two cores, with depthwise convolutions at three strides.

Measured training times on one CPU core explain its design. In the channels_last layout a depthwise 3x3 convolution
takes at most a tenth of the time of a dense one. 64 channels cost seven times as much at stride 4 as at stride 8. So
the network computes little at stride 4 and most at stride 16.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES, Range
from .base import Backbone
from .blocks import conv_norm, conv_norm_relu, he_init


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
    """One feature map of `width` channels at stride 4: the sum of the features at strides 4, 8 and 16.

    `widths` and `depths` are the channels and the number of blocks at each stride.
    """

    stages = 3
    multiple = 16
    ranges = {'width': (8, 1024), 'widths': Range(8, 2048, length=3), 'depths': Range(0, 32, length=3)}

    def __init__(
        self,
        width: int = 64,
        widths: Sequence[int] = (32, 96, 256),
        depths: Sequence[int] = (1, 3, 4),
        pretrained: str | None = None,
        frozen_stages: int = -1,
    ) -> None:
        super().__init__(pretrained, frozen_stages)
        in_widths = [16, *widths]
        self.out_channels = (width,)
        self.stem = conv_norm_relu(3, in_widths[0], stride=2)
        self.levels = nn.ModuleList(
            nn.Sequential(
                conv_norm_relu(in_widths[i], w, stride=2), *(Separable(w, 3 if i == 0 else 5) for _ in range(depth))
            )
            for i, (w, depth) in enumerate(zip(widths, depths, strict=True))
        )
        self.sides = nn.ModuleList(nn.Sequential(*conv_norm(w, width, 1)) for w in widths)
        self.out = Separable(width)
        self.apply(he_init)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.stem,) if index == 0 else (self.levels[index - 1],)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(image.contiguous(memory_format=torch.channels_last))
        features = []
        for level, lateral in zip(self.levels, self.sides, strict=True):
            x = level(x)
            features.append(lateral(x))
        total = features.pop()
        while features:
            total = features.pop() + F.interpolate(total, scale_factor=2, mode='bilinear', align_corners=False)
        return (self.out(F.relu(total)),)
