"""CSPNeXt (https://arxiv.org/abs/2212.07784), the backbone of RTMPose (https://arxiv.org/abs/2303.07399)."""

from collections.abc import Iterable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import FacelmkError
from ...registry import BACKBONES
from .base import Backbone
from .blocks import ConvNorm

_WIDTHS = (64, 128, 256, 512, 1024)
_BLOCKS = (3, 6, 6, 3)
_Conv = partial(ConvNorm, activation=partial(F.silu, inplace=True))


class Separable(nn.Module):
    """A depthwise 5x5 convolution, then a 1x1 over all channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise_conv = _Conv(width, width, 5, groups=width)
        self.pointwise_conv = _Conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise_conv(self.depthwise_conv(x))


class Block(nn.Module):
    """A dense 3x3 convolution, then the separable 5x5. The last stage has no shortcut."""

    def __init__(self, width: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = _Conv(width, width, 3)
        self.conv2 = Separable(width)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv2(self.conv1(x))
        return out + x if self.shortcut else out


class Attention(nn.Module):
    """Channel attention: each channel is scaled by a gate that depends on the means of all channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * F.hardsigmoid(self.fc(x.mean((-2, -1), keepdim=True)))


class CrossStage(nn.Module):
    """Half of the channels goes through the blocks, the other half bypasses them (https://arxiv.org/abs/1911.11929)."""

    def __init__(self, width: int, count: int, shortcut: bool) -> None:
        super().__init__()
        half = width // 2
        self.main_conv, self.short_conv = _Conv(width, half), _Conv(width, half)
        self.blocks = nn.Sequential(*(Block(half, shortcut) for _ in range(count)))
        self.attention = Attention(2 * half)
        self.final_conv = _Conv(2 * half, width)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat((self.blocks(self.main_conv(x)), self.short_conv(x)), 1)
        return self.final_conv(self.attention(joined))


class Pyramid(nn.Module):
    """Spatial pyramid pooling: max pooling of kernel 5, 9 and 13 beside the input (https://arxiv.org/abs/1406.4729)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = _Conv(width, width // 2), _Conv(width // 2 * 4, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        return self.conv2(torch.cat([x, *(F.max_pool2d(x, side, 1, side // 2) for side in (5, 9, 13))], 1))


@BACKBONES.register_module()
class CSPNeXt(Backbone):
    """CSPNeXt with `deepen` times the blocks and `widen` times the channels of the large model.

    RTMPose's sizes are t (.167, .375), s (.33, .5) and m (.67, .75). The features of `out_stages` 1 to 4 have strides
    4, 8, 16 and 32.
    """

    ranges = {'deepen': (0.1, 3), 'widen': (0.125, 3), 'out_stages': {1, 2, 3, 4}}

    def __init__(
        self,
        deepen: float = 0.67,
        widen: float = 0.75,
        out_stages: Sequence[int] = (4,),
        pretrained: str | None = None,
        frozen_stages: int = -1,
    ) -> None:
        super().__init__(pretrained, frozen_stages)
        if not set(out_stages) <= {1, 2, 3, 4} or not out_stages:
            raise FacelmkError(f'CSPNeXt: out_stages={tuple(out_stages)}. Expected some of 1, 2, 3, 4.')
        widths, counts = [int(w * widen) for w in _WIDTHS], [max(round(n * deepen), 1) for n in _BLOCKS]
        self.out_stages = tuple(sorted(out_stages))
        self.out_channels = tuple(widths[i] for i in self.out_stages)
        half = widths[0] // 2
        self.stem = nn.Sequential(_Conv(3, half, 3, 2), _Conv(half, half, 3), _Conv(half, widths[0], 3))
        for i, count in enumerate(counts, 1):
            last = i == len(counts)
            self.add_module(
                f'stage{i}',
                nn.Sequential(
                    _Conv(widths[i - 1], widths[i], 3, 2),
                    *([Pyramid(widths[i])] if last else []),
                    CrossStage(widths[i], count, shortcut=not last),
                ),
            )
        self.apply(_zero_bias)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.stem,) if index == 0 else (self.get_submodule(f'stage{index}'),)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x, features = self.stem(image), []
        for i in range(1, self.out_stages[-1] + 1):
            x = self.get_submodule(f'stage{i}')(x)
            if i in self.out_stages:
                features.append(x)
        return tuple(features)


def _zero_bias(module: nn.Module) -> None:
    """The authors keep torch's default initialisation, except that biases are zero."""
    if isinstance(module, nn.Conv2d) and module.bias is not None:
        nn.init.zeros_(module.bias)
