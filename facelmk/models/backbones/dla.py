"""Deep layer aggregation (https://arxiv.org/abs/1707.06484): trees of blocks, and their levels brought together."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import FacelmkError
from ...registry import BACKBONES
from .base import Backbone
from .blocks import BasicBlock, conv_norm

_FORMS = {34: ((16, 32, 64, 128, 256, 512), (1, 2, 2, 1))}  # widths of levels 0 to 5, heights of the trees of 2 to 5


def _dense(width: int, out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(*conv_norm(width, out, kernel, stride), nn.ReLU(inplace=True))


class Leaf(BasicBlock):
    """A basic block whose shortcut its tree makes."""

    def shortcut(self, width: int, out: int, stride: int, momentum: float) -> None:
        return None

    def forward(self, x: Tensor, short: Tensor | None = None) -> Tensor:
        return self.relu(self.body(x) + (x if short is None else short))


class Root(nn.Module):
    """One 1x1 over all that a tree has to tell."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.conv, self.bn = conv_norm(width, out, 1)

    def forward(self, *told: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(torch.cat(told, 1))), inplace=True)


class Tree(nn.Module):
    """Two leaves and their root (`height` 1), or two trees, of which the second one's root sees the first as well.

    With `keep` the root sees the tree's input too. `more` is the width of what trees above hand down to the root.
    """

    def __init__(self, height: int, width: int, out: int, stride: int = 1, keep: bool = False, more: int = 0) -> None:
        super().__init__()
        more += width if keep else 0
        self.height, self.keep = height, keep
        self.pool = nn.MaxPool2d(stride) if stride > 1 else nn.Identity()
        if height > 1:
            self.tree1 = Tree(height - 1, width, out, stride)
            self.tree2 = Tree(height - 1, out, out, more=more + out)
        else:
            self.tree1, self.tree2, self.root = Leaf(width, out, stride), Leaf(out, out), Root(2 * out + more, out)
            self.project = nn.Sequential(*conv_norm(width, out, 1)) if width != out else nn.Identity()

    def forward(self, x: Tensor, told: tuple[Tensor, ...] = ()) -> Tensor:
        told = (*told, self.pool(x)) if self.keep else told
        if self.height > 1:
            first = self.tree1(x)
            return self.tree2(first, (*told, first))
        first = self.tree1(x, self.project(self.pool(x)))
        return self.root(self.tree2(first), first, *told)


class Join(nn.Module):
    """A coarse map, narrowed and doubled in size, beside a fine one; one 3x3 over both."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.project, self.node = _dense(width, out, 1), _dense(2 * out, out)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        coarse = F.interpolate(self.project(coarse), scale_factor=2, mode='bilinear', align_corners=False)
        return self.node(torch.cat((fine, coarse), 1))


class Ascent(nn.Module):
    """From the coarsest feature up: each new map joins the one to its left with the one below that.

    stride 4     a   a1  a2  a3
    stride 8     b   b1  b2
    stride 16    c   c1
    stride 32    d
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            nn.ModuleList(Join(widths[i + 1], widths[i]) for _ in range(len(widths) - 1 - i))
            for i in reversed(range(len(widths) - 1))
        )

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        *finer, coarsest = features
        row = [coarsest]
        for step in self.steps:
            above = [finer.pop()]
            for join, below in zip(step, row, strict=True):
                above.append(join(above[-1], below))
            row = above
        return row[-1]


@BACKBONES.register_module()
class DLA(Backbone):
    """DLA-34 with its way up, one feature map of 64 channels at stride 4; 17.4 million parameters.

    The trees have the names of the published ImageNet weights (`pretrained='dla://dla34'`). The way up is the paper's,
    as CenterNet uses it (https://arxiv.org/abs/1904.07850), with plain convolutions and the bilinear doubling that
    theirs starts from.
    """

    fresh = ('up.',)  # no ImageNet weights hold the way up

    def __init__(self, depth: int = 34, pretrained: str | None = None, frozen_stages: int = -1) -> None:
        super().__init__(pretrained, frozen_stages)
        if depth not in _FORMS:
            raise FacelmkError(f'DLA: depth={depth}; there is depth {", ".join(map(str, _FORMS))}')
        widths, heights = _FORMS[depth]
        self.out_channels = (widths[2],)
        self.base_layer = _dense(3, widths[0], 7)
        self.level0 = _dense(widths[0], widths[0])
        self.level1 = _dense(widths[0], widths[1], stride=2)
        for i, height in enumerate(heights, 2):
            self.add_module(f'level{i}', Tree(height, widths[i - 1], widths[i], 2, keep=i > 2))
        self.up = Ascent(widths[2:])
        self.apply(_start)
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


def _start(module: nn.Module) -> None:
    """He's start (https://arxiv.org/abs/1502.01852)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
