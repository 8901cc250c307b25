"""The stacked hourglass of Adaptive Wing (https://arxiv.org/abs/1904.07399), with its published parameter names."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import FacelmkError
from ...registry import BACKBONES, Range
from .base import Backbone

_LEVELS = 4  # an hourglass halves its maps this many times
_BOUNDARY_THRESHOLD = 0.05  # above it, a cell of the boundary map lies on a boundary


class Hierarchy(nn.Module):
    """Three times BatchNorm, ReLU and 3x3; the three results are concatenated, and x is added (arXiv 1703.00862)."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        half, quarter = out // 2, out // 4
        self.bn1, self.conv1 = _norm_conv(width, half, 3)
        self.bn2, self.conv2 = _norm_conv(half, quarter, 3)
        self.bn3, self.conv3 = _norm_conv(quarter, quarter, 3)
        norm, conv = _norm_conv(width, out, 1)
        self.downsample = None if width == out else nn.Sequential(norm, nn.ReLU(), conv)

    def forward(self, x: Tensor) -> Tensor:
        first = self.conv1(F.relu(self.bn1(x)))
        second = self.conv2(F.relu(self.bn2(first)))
        third = self.conv3(F.relu(self.bn3(second)))
        return torch.cat((first, second, third), 1) + (x if self.downsample is None else self.downsample(x))


class CoordConv(nn.Module):
    """A convolution with additional input channels of coordinates (https://arxiv.org/abs/1807.03247).

    `coordinates` adds x and y, `radius` the distance from the middle, `attention` x and y on the boundary only.
    """

    def __init__(
        self,
        width: int,
        out: int,
        kernel: int,
        stride: int = 1,
        coordinates: bool = True,
        radius: bool = True,
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.coordinates, self.radius, self.attention = coordinates, radius, attention
        extra = 2 * coordinates + radius + 2 * attention
        self.conv = nn.Conv2d(width + extra, out, kernel, stride, kernel // 2)

    def forward(self, x: Tensor, boundary: Tensor | None = None) -> Tensor:
        """`boundary` (B, 1, H, W) is the boundary map that the stack before predicts."""
        grid = _coordinate_grid(x)
        parts = [x]
        if self.coordinates:
            parts.append(grid)
        if self.radius:
            radius = grid.norm(dim=1, keepdim=True)
            parts.append(radius / radius.max())
        if self.attention and boundary is not None:
            parts.append(torch.where(boundary > _BOUNDARY_THRESHOLD, grid, 0.0))
        return self.conv(torch.cat(parts, 1))


class Stack(nn.Module):
    """One hourglass: the features of each level, plus the upsampled output of the level below."""

    def __init__(self, width: int, coordconv: CoordConv) -> None:
        super().__init__()
        self.coordconv = coordconv
        for level in range(1, _LEVELS + 1):
            for name in ('b1', 'b2', 'b3'):
                self.add_module(f'{name}_{level}', Hierarchy(width, width))
        self.b2_plus_1 = Hierarchy(width, width)

    def forward(self, x: Tensor, boundary: Tensor | None) -> Tensor:
        return self._level(_LEVELS, self.coordconv(x, boundary))

    def _level(self, level: int, x: Tensor) -> Tensor:
        below = self.get_submodule(f'b2_{level}')(F.avg_pool2d(x, 2, ceil_mode=True))
        below = self._level(level - 1, below) if level > 1 else self.b2_plus_1(below)
        below = self.get_submodule(f'b3_{level}')(below)
        return self.get_submodule(f'b1_{level}')(x) + F.interpolate(below, x.shape[-2:], mode='nearest')


@BACKBONES.register_module()
class StackedHourglass(Backbone):
    """A stack of 1 to 4 hourglasses, for `StackHead`. Each one outputs `maps` at stride 4, which the next one takes in.

    The last map is the boundary map (codec `Boundary`). With `attention`, each hourglass but the first takes x and y on
    the boundary as input. `coordinates` and `radius` switch the other inputs of CoordConv. `relu` sets negative values
    of the maps to 0. The published files mostly run with it (`end_relu`, where even the string 'False' counts as true);
    the authors' own evaluation of WFLW does not.
    """

    ranges = {'maps': (1, 65536), 'stacks': (1, 4), 'width': Range(16, 1024, step=8)}

    def __init__(
        self,
        maps: int,
        stacks: int = 4,
        attention: bool = True,
        coordinates: bool = True,
        radius: bool = True,
        relu: bool = True,
        width: int = 256,
        pretrained: str | None = None,
        frozen_stages: int = -1,
    ) -> None:
        if not 1 <= stacks <= 4:
            raise FacelmkError(f'StackedHourglass: stacks={stacks}. Expected 1 to 4.')
        self.stages = stacks  # the base class checks frozen_stages against it
        super().__init__(pretrained, frozen_stages)
        inputs = dict(coordinates=coordinates, radius=radius)
        self.out_channels, self.relu = (maps,) * stacks, relu
        self.conv1 = CoordConv(3, width // 4, 7, 2, **inputs)
        self.bn1 = nn.BatchNorm2d(width // 4)
        self.conv2 = Hierarchy(width // 4, width // 2)
        self.conv3 = Hierarchy(width // 2, width // 2)
        self.conv4 = Hierarchy(width // 2, width)
        for i in range(stacks):
            self._add_stack(i, CoordConv(width, width, 1, attention=attention and i > 0, **inputs), width, maps)
        self.train()

    def _add_stack(self, i: int, coordconv: CoordConv, width: int, maps: int) -> None:
        parts = {
            f'm{i}': Stack(width, coordconv),
            f'top_m_{i}': Hierarchy(width, width),
            f'conv_last{i}': nn.Conv2d(width, width, 1),
            f'bn_end{i}': nn.BatchNorm2d(width),
            f'l{i}': nn.Conv2d(width, maps, 1),
        }
        if i < self.stages - 1:
            parts |= {f'bl{i}': nn.Conv2d(width, width, 1), f'al{i}': nn.Conv2d(maps, width, 1)}
        for name, part in parts.items():
            self.add_module(name, part)

    def stage(self, index: int) -> Iterable[nn.Module]:
        if index == 0:
            return self.conv1, self.bn1, self.conv2, self.conv3, self.conv4
        names = (f'{name}{index - 1}' for name in ('m', 'top_m_', 'conv_last', 'bn_end', 'l', 'bl', 'al'))
        return [part for name in names if (part := getattr(self, name, None)) is not None]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = F.avg_pool2d(self.conv2(F.relu(self.bn1(self.conv1(image)))), 2)
        x = self.conv4(self.conv3(x))
        features: list[Tensor] = []
        part = self.get_submodule
        for i in range(self.stages):
            boundary = features[-1][:, -1:] if features else None
            y = part(f'top_m_{i}')(part(f'm{i}')(x, boundary))
            y = F.relu(part(f'bn_end{i}')(part(f'conv_last{i}')(y)))
            maps = part(f'l{i}')(y)
            features.append(F.relu(maps) if self.relu else maps)
            if i < self.stages - 1:
                x = x + part(f'bl{i}')(y) + part(f'al{i}')(features[-1])
        return tuple(features)


def _norm_conv(width: int, out: int, kernel: int) -> tuple[nn.BatchNorm2d, nn.Conv2d]:
    """BatchNorm of the input, and the convolution behind it."""
    return nn.BatchNorm2d(width), nn.Conv2d(width, out, kernel, padding=kernel // 2, bias=False)


def _coordinate_grid(x: Tensor) -> Tensor:
    """The coordinates of each cell of x (B, 2, H, W), from -1 to 1; y before x, as the published weights expect."""
    down, across = (torch.arange(side, device=x.device).float() / (side - 1) * 2 - 1 for side in x.shape[-2:])
    return torch.stack(torch.meshgrid(down, across, indexing='ij')).to(x).expand(x.shape[0], -1, -1, -1)
