"""MobileNetV2 (https://arxiv.org/abs/1801.04381), with MMPose's parameter names."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES
from .base import Backbone
from .blocks import ConvNorm, he_init

# one row a stage: expansion, width, number of blocks, stride of the first block
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class InvertedResidual(nn.Module):
    """1x1 expands the channels, a depthwise 3x3, 1x1 reduces them; x is added where the shape stays the same."""

    def __init__(self, width: int, out: int, expansion: int, stride: int) -> None:
        super().__init__()
        hidden = width * expansion
        expand = [ConvNorm(width, hidden, activation=F.relu6)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *expand, ConvNorm(hidden, hidden, 3, stride, hidden, F.relu6), ConvNorm(hidden, out, activation=None)
        )
        self.shortcut = stride == 1 and width == out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.shortcut else self.conv(x)


@BACKBONES.register_module()
class MobileNetV2(Backbone):
    """One feature map of 1280 channels at stride 32."""

    stages = len(_STAGES)
    out_channels = (1280,)

    def __init__(self, pretrained: str | None = None, frozen_stages: int = -1) -> None:
        super().__init__(pretrained, frozen_stages)
        width = 32
        self.conv1 = ConvNorm(3, width, 3, 2, activation=F.relu6)
        for i, (expansion, out, count, stride) in enumerate(_STAGES, 1):
            first = InvertedResidual(width, out, expansion, stride)
            others = (InvertedResidual(out, out, expansion, 1) for _ in range(count - 1))
            self.add_module(f'layer{i}', nn.Sequential(first, *others))
            width = out
        self.conv2 = ConvNorm(width, *self.out_channels, activation=F.relu6)
        self.apply(he_init)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.conv1,) if index == 0 else (self.get_submodule(f'layer{index}'),)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.conv1(image)
        for i in range(1, self.stages + 1):
            x = self.get_submodule(f'layer{i}')(x)
        return (self.conv2(x),)
