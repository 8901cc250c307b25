"""U-Net (https://arxiv.org/abs/1505.04597): down to small maps, and up again past what the way down has seen."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ...errors import FacelmkError
from ...registry import BACKBONES
from .base import Backbone
from .blocks import conv_norm


def _twice(width: int, out: int) -> nn.Sequential:
    """Two 3x3 convolutions that keep the size."""
    return nn.Sequential(*conv_norm(width, out), nn.ReLU(inplace=True), *conv_norm(out, out), nn.ReLU(inplace=True))


class Up(nn.Module):
    """The coarse map at twice its size and half its width, beside the fine one; then two convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.body = _twice(2 * width, width)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return self.body(torch.cat((fine, self.up(coarse)), 1))


@BACKBONES.register_module()
class UNet(Backbone):
    """One feature map of `width` channels at stride 4; 7.8 million parameters as it stands.

    `depth` levels, the first at stride 4, each half as fine and twice as wide as the one before. Two strided
    convolutions stand in for the paper's two finest levels, which cost most and lie above what a heatmap resolves.
    The convolutions are padded and normalised.
    """

    def __init__(self, width: int = 64, depth: int = 4, pretrained: str | None = None, frozen_stages: int = -1) -> None:
        if not 2 <= depth <= 4:  # the fifth level would want crops of a multiple of 64
            raise FacelmkError(f'UNet: depth={depth}; it is 2, 3 or 4 levels')
        self.stages = depth
        super().__init__(pretrained, frozen_stages)
        widths = [width * 2**i for i in range(depth)]
        self.out_channels = (width,)
        self.stem = nn.Sequential(
            *conv_norm(3, width, 3, 2), nn.ReLU(inplace=True), *conv_norm(width, width, 3, 2), nn.ReLU(inplace=True)
        )
        self.pool = nn.MaxPool2d(2)
        self.downs = nn.ModuleList(_twice(widths[max(i - 1, 0)], w) for i, w in enumerate(widths))
        self.ups = nn.ModuleList(Up(w) for w in reversed(widths[:-1]))
        self.apply(_start)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.stem,) if index == 0 else (self.downs[index - 1],)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        seen = [self.downs[0](self.stem(image))]
        for down in self.downs[1:]:
            seen.append(down(self.pool(seen[-1])))
        x = seen.pop()
        for up in self.ups:
            x = up(x, seen.pop())
        return (x,)


def _start(module: nn.Module) -> None:
    """He's start (https://arxiv.org/abs/1502.01852), by what comes in, as the paper has it."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity='relu')
    elif isinstance(module, nn.ConvTranspose2d):  # each cell that it makes comes from one cell, and no ReLU follows
        nn.init.normal_(module.weight, std=module.in_channels**-0.5)
        nn.init.zeros_(module.bias)
