"""What QuickNet and NanoNet share: features at strides 4, 8 and 16 by depthwise convolutions, coarse added to fine."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .base import Backbone
from .blocks import conv_norm


class Separable(nn.Module):
    """x + 1x1(depthwise(x)) (https://arxiv.org/abs/1704.04861)."""

    def __init__(self, width: int, kernel: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *conv_norm(width, width, kernel, groups=width), nn.ReLU(inplace=True), *conv_norm(width, width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class SeparablePyramid(Backbone):
    """One feature map of `width` channels at stride 4.

    `widths` and `depths` are the channels and the number of blocks at strides 4, 8 and 16; `halve(in, out)` makes the
    convolution before each of them. A subclass adds its own layers and initialises all of them.
    """

    stages = 3
    multiple = 16

    def __init__(
        self,
        width: int,
        widths: Sequence[int],
        depths: Sequence[int],
        halve: Callable[[int, int], nn.Module],
        pretrained: str | None,
        frozen_stages: int,
    ) -> None:
        super().__init__(pretrained, frozen_stages)
        in_widths = [16, *widths]
        self.out_channels = (width,)
        self.stem = halve(3, in_widths[0])
        self.levels = nn.ModuleList(
            nn.Sequential(halve(in_widths[i], w), *(Separable(w, 3 if i == 0 else 5) for _ in range(depth)))
            for i, (w, depth) in enumerate(zip(widths, depths, strict=True))
        )
        self.sides = nn.ModuleList(nn.Sequential(*conv_norm(w, width, 1)) for w in widths)

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.stem,) if index == 0 else (self.levels[index - 1],)

    def after_sum(self, stride: int, total: Tensor) -> Tensor:
        """What is computed from the sum of the features at a stride, 8 or 4, and the coarser ones."""
        raise TypeError(f'{type(self).__name__} must define after_sum()')

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(image.contiguous(memory_format=torch.channels_last))
        features = []
        for level, side in zip(self.levels, self.sides, strict=True):
            x = level(x)
            features.append(side(x))
        total = features.pop()
        while features:
            total = features.pop() + F.interpolate(total, scale_factor=2, mode='bilinear', align_corners=False)
            total = self.after_sum(4 << len(features), total)
        return (total,)
