"""Deep layer aggregation (https://arxiv.org/abs/1707.06484): trees of blocks, and a decoder that fuses their levels."""

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import FacelmkError
from ...registry import BACKBONES
from .base import Backbone
from .blocks import BasicBlock, conv_norm, conv_norm_relu, he_init

# by depth: the widths of levels 0 to 5, the tree heights of levels 2 to 5
_ARCHITECTURES = {34: ((16, 32, 64, 128, 256, 512), (1, 2, 2, 1))}


class Leaf(BasicBlock):
    """A basic block that takes its shortcut from the tree."""

    def shortcut(self, width: int, out: int, stride: int, momentum: float) -> None:
        return None

    def forward(self, x: Tensor, short: Tensor | None = None) -> Tensor:
        return self.relu(self.body(x) + (x if short is None else short))


class Root(nn.Module):
    """One 1x1 convolution over all inputs, concatenated."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.conv, self.bn = conv_norm(width, out, 1)

    def forward(self, *inputs: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(torch.cat(inputs, 1))), inplace=True)


class Tree(nn.Module):
    """Two leaves and their root (`height` 1), or two subtrees; the root of the second also takes the first's output.

    With `keep_input` the root also takes the tree's input. `extra` is the width of the inputs that trees above pass
    down to the root.
    """

    tree1: nn.Module
    tree2: nn.Module

    def __init__(
        self, height: int, width: int, out: int, stride: int = 1, keep_input: bool = False, extra: int = 0
    ) -> None:
        super().__init__()
        extra += width if keep_input else 0
        self.height, self.keep_input = height, keep_input
        self.pool = nn.MaxPool2d(stride) if stride > 1 else nn.Identity()
        if height > 1:
            self.tree1 = Tree(height - 1, width, out, stride)
            self.tree2 = Tree(height - 1, out, out, extra=extra + out)
        else:
            self.tree1, self.tree2, self.root = Leaf(width, out, stride), Leaf(out, out), Root(2 * out + extra, out)
            self.project = nn.Sequential(*conv_norm(width, out, 1)) if width != out else nn.Identity()

    def forward(self, x: Tensor, for_root: tuple[Tensor, ...] = ()) -> Tensor:
        for_root = (*for_root, self.pool(x)) if self.keep_input else for_root
        if self.height > 1:
            first = self.tree1(x)
            return self.tree2(first, (*for_root, first))
        first = self.tree1(x, self.project(self.pool(x)))
        return self.root(self.tree2(first), first, *for_root)


class Fuse(nn.Module):
    """Upsample a coarse map, concatenate it with a fine one, and convolve both by one 3x3."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.project, self.node = conv_norm_relu(width, out, 1), conv_norm_relu(2 * out, out)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        coarse = F.interpolate(self.project(coarse), scale_factor=2, mode='bilinear', align_corners=False)
        return self.node(torch.cat((fine, coarse), 1))


class Decoder(nn.Module):
    """Fuse the features from coarse to fine: each new map is made of the one to its left and the one below that.

    stride 4     a   a1  a2  a3
    stride 8     b   b1  b2
    stride 16    c   c1
    stride 32    d
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            nn.ModuleList(Fuse(widths[i + 1], widths[i]) for _ in range(len(widths) - 1 - i))
            for i in reversed(range(len(widths) - 1))
        )

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        *finer, coarsest = features
        row = [coarsest]
        for step in self.steps:
            finer_row = [finer.pop()]
            for fuse, below in zip(cast(nn.ModuleList, step), row, strict=True):
                finer_row.append(fuse(finer_row[-1], below))
            row = finer_row
        return row[-1]


@BACKBONES.register_module()
class DLA(Backbone):
    """DLA-34 with its decoder: one feature map of 64 channels at stride 4; 17.4 million parameters.

    The trees have the parameter names of the published ImageNet weights (`pretrained='dla://dla34'`). The decoder is
    the paper's, as CenterNet uses it (https://arxiv.org/abs/1904.07850), with plain convolutions and bilinear
    upsampling, which is the initial state of CenterNet's learnt upsampling.
    """

    fresh = ('up.',)  # the ImageNet weights have no decoder
    ranges = {'depth': set(_ARCHITECTURES)}

    def __init__(self, depth: int = 34, pretrained: str | None = None, frozen_stages: int = -1) -> None:
        super().__init__(pretrained, frozen_stages)
        if depth not in _ARCHITECTURES:
            raise FacelmkError(f'DLA: depth={depth}. Expected {" or ".join(map(str, _ARCHITECTURES))}.')
        widths, heights = _ARCHITECTURES[depth]
        self.out_channels = (widths[2],)
        self.base_layer = conv_norm_relu(3, widths[0], 7)
        self.level0 = conv_norm_relu(widths[0], widths[0])
        self.level1 = conv_norm_relu(widths[0], widths[1], stride=2)
        for i, height in enumerate(heights, 2):
            self.add_module(f'level{i}', Tree(height, widths[i - 1], widths[i], 2, keep_input=i > 2))
        self.up = Decoder(widths[2:])
        self.apply(he_init)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        if index == 0:
            return self.base_layer, self.level0, self.level1
        return (self.get_submodule(f'level{index + 1}'),)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.level1(self.level0(self.base_layer(image)))
        features = []
        for i in range(2, 6):
            x = self.get_submodule(f'level{i}')(x)
            features.append(x)
        return (self.up(features),)
