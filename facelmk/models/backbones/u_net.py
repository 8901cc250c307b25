"""U-Net (https://arxiv.org/abs/1505.04597): an encoder, and a decoder with skip connections."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import FacelmkError
from ...registry import BACKBONES
from .base import Backbone
from .blocks import conv_norm


def _double_conv(width: int, out: int) -> nn.Sequential:
    """Two 3x3 convolutions that keep the size."""
    return nn.Sequential(*conv_norm(width, out), nn.ReLU(inplace=True), *conv_norm(out, out), nn.ReLU(inplace=True))


class Up(nn.Module):
    """Upsample the coarse map, concatenate it with the fine one, and convolve twice."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.body = _double_conv(2 * width, width)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return self.body(torch.cat((fine, self.up(coarse)), 1))


@BACKBONES.register_module()
class UNet(Backbone):
    """One feature map of `width` channels at stride 4; 7.8 million parameters with the default arguments.

    There are `depth` levels, the first at stride 4. Each has half the resolution and twice the channels of the level
    before. Two strided convolutions replace the paper's two finest levels, which cost most and are finer than the
    heatmap. The convolutions are padded and have BatchNorm.
    """

    ranges = {'width': (8, 512), 'depth': (2, 4)}

    def __init__(self, width: int = 64, depth: int = 4, pretrained: str | None = None, frozen_stages: int = -1) -> None:
        if not 2 <= depth <= 4:  # a fifth level would need crop sides that are multiples of 64
            raise FacelmkError(f'UNet: depth={depth}. Expected 2, 3 or 4 levels.')
        self.stages = depth
        super().__init__(pretrained, frozen_stages)
        widths = [width * 2**i for i in range(depth)]
        self.out_channels = (width,)
        self.stem = nn.Sequential(
            *conv_norm(3, width, 3, 2), nn.ReLU(inplace=True), *conv_norm(width, width, 3, 2), nn.ReLU(inplace=True)
        )
        self.pool = nn.MaxPool2d(2)
        self.downs = nn.ModuleList(_double_conv(widths[max(i - 1, 0)], w) for i, w in enumerate(widths))
        self.ups = nn.ModuleList(Up(w) for w in reversed(widths[:-1]))
        self.apply(_init_weights)
        self.train()

    @classmethod
    def side_multiple(cls, values: Mapping[str, Any]) -> int:
        return 2 ** (values.get('depth', 4) + 1)

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.stem,) if index == 0 else (self.downs[index - 1],)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        skips = [self.downs[0](self.stem(image))]
        for down in self.downs[1:]:
            skips.append(down(self.pool(skips[-1])))
        x = skips.pop()
        for up in self.ups:
            x = up(x, skips.pop())
        return (x,)


def _init_weights(module: nn.Module) -> None:
    """He initialisation (https://arxiv.org/abs/1502.01852) by the number of inputs, as in the U-Net paper."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity='relu')
    elif isinstance(module, nn.ConvTranspose2d):  # one input cell per output cell, no ReLU behind
        nn.init.normal_(module.weight, std=module.in_channels**-0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
