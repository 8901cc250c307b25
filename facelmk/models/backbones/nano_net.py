"""NanoNet: 0.9 million parameters, for crops of 112 pixels and one CPU thread.

Like QuickNet, it computes features at strides 4, 8 and 16 and adds the coarse ones to the fine ones. It also has blocks
at the fine strides, one at stride 8 and three at stride 4, where coarse and fine features have been added.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES, Range
from .base import Backbone
from .blocks import ConvNorm, conv_norm, he_init
from .quick_net import Separable


@BACKBONES.register_module()
class NanoNet(Backbone):
    """One feature map of `width` channels at stride 4.

    `widths` and `depths` are the channels and the number of blocks at strides 4, 8 and 16. `merged` are the numbers of
    separable 5x5 blocks at strides 8 and 4, after the coarser features have been added.
    """

    stages = 3
    multiple = 16
    ranges = {
        'width': (8, 1024),
        'widths': Range(8, 2048, length=3),
        'depths': Range(0, 32, length=3),
        'merged': Range(0, 32, length=2),
    }

    def __init__(
        self,
        width: int = 64,
        widths: Sequence[int] = (32, 112, 320),
        depths: Sequence[int] = (2, 4, 4),
        merged: Sequence[int] = (1, 3),
        pretrained: str | None = None,
        frozen_stages: int = -1,
    ) -> None:
        super().__init__(pretrained, frozen_stages)
        in_widths = [16, *widths]
        self.out_channels = (width,)
        self.stem = ConvNorm(3, in_widths[0], 3, stride=2)
        self.levels = nn.ModuleList(
            nn.Sequential(
                ConvNorm(in_widths[i], w, 3, stride=2), *(Separable(w, 3 if i == 0 else 5) for _ in range(depth))
            )
            for i, (w, depth) in enumerate(zip(widths, depths, strict=True))
        )
        self.sides = nn.ModuleList(nn.Sequential(*conv_norm(w, width, 1)) for w in widths)
        self.merged = nn.ModuleList(nn.Sequential(*(Separable(width, 5) for _ in range(depth))) for depth in merged)
        self.apply(he_init)
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
        for blocks in self.merged:
            total = F.interpolate(total, scale_factor=2, mode='bilinear', align_corners=False)
            total = blocks(F.relu(features.pop() + total))
        return (total,)
