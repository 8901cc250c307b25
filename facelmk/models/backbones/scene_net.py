"""SceneNet: 0.22 million parameters that look at a whole scene, for face detection on one CPU thread.

A scene of 640 x 480 pixels has 4,800 cells at stride 8, where the answer is needed, but 300 at stride 32, where a block
costs a sixteenth. So most layers work at strides 16 and 32, whose 5x5 kernels also see a face that fills the scene.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES, Range
from .base import Backbone
from .blocks import conv_norm, conv_norm_relu, he_init
from .separable_pyramid import Separable


@BACKBONES.register_module()
class SceneNet(Backbone):
    """One feature map of `width` channels at stride 8: the sum of the features at strides 8, 16 and 32.

    `widths` and `depths` are the channels and the number of blocks at strides 4, 8, 16 and 32; `merged` are the numbers
    of separable 5x5 blocks at strides 16 and 8, after the coarser features have been added.
    """

    stages = 4
    multiple = 32
    ranges = {
        'width': (8, 1024),
        'widths': Range(8, 2048, length=4),
        'depths': Range(0, 32, length=4),
        'merged': Range(0, 32, length=2),
    }

    def __init__(
        self,
        width: int = 48,
        widths: Sequence[int] = (24, 48, 112, 160),
        depths: Sequence[int] = (1, 2, 4, 3),
        merged: Sequence[int] = (1, 1),
        pretrained: str | None = None,
        frozen_stages: int = -1,
    ) -> None:
        super().__init__(pretrained, frozen_stages)
        self.out_channels = (width,)
        self.stem = conv_norm_relu(3, 16, stride=2)
        in_widths = [16, *widths]
        halves = [halve_densely, halve_densely, halve, halve]
        self.levels = nn.ModuleList(
            nn.Sequential(halves[i](in_widths[i], w), *(Separable(w, 3 if i < 2 else 5) for _ in range(depth)))
            for i, (w, depth) in enumerate(zip(widths, depths, strict=True))
        )
        self.sides = nn.ModuleList(nn.Sequential(*conv_norm(w, width, 1)) for w in widths[1:])
        self.merged = nn.ModuleList(nn.Sequential(*(Separable(width, 5) for _ in range(depth))) for depth in merged)
        self.apply(he_init)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.stem,) if index == 0 else (self.levels[index - 1],)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.levels[0](self.stem(image.contiguous(memory_format=torch.channels_last)))
        features = []
        for level, side in zip(self.levels[1:], self.sides, strict=True):
            x = level(x)
            features.append(side(x))
        total = features.pop()
        for merged in self.merged:
            finer = features.pop()
            total = merged(F.relu(finer + F.interpolate(total, scale_factor=2, mode='bilinear', align_corners=False)))
        return (total,)


def halve_densely(width: int, out: int) -> nn.Module:
    """A 3x3 convolution of stride 2, with BatchNorm and ReLU."""
    return conv_norm_relu(width, out, stride=2)


def halve(width: int, out: int) -> nn.Module:
    """A depthwise 3x3 convolution of stride 2 and a 1x1 convolution, with BatchNorm and ReLU."""
    depthwise = [*conv_norm(width, width, 3, stride=2, groups=width), nn.ReLU(inplace=True)]
    return nn.Sequential(*depthwise, *conv_norm(width, out, 1), nn.ReLU(inplace=True))
