"""MobileNetV2 (https://arxiv.org/abs/1801.04381), with MMPose's names."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES
from .base import Backbone
from .blocks import ConvNorm

# a row a stage: how much wider a block is inside, its width, how many there are, the first one's stride
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class InvertedResidual(nn.Module):
    """1x1 widens, a 3x3 of each channel by itself, 1x1 narrows; plus x where it fits."""

    def __init__(self, width: int, out: int, wider: int, stride: int) -> None:
        super().__init__()
        inside = width * wider
        widen = [ConvNorm(width, inside, cut=F.relu6)] if wider > 1 else []
        self.conv = nn.Sequential(
            *widen, ConvNorm(inside, inside, 3, stride, inside, F.relu6), ConvNorm(inside, out, cut=None)
        )
        self.adds = stride == 1 and width == out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


@BACKBONES.register_module()
class MobileNetV2(Backbone):
    """One feature map of 1280 channels at stride 32."""

    stages = len(_STAGES)
    out_channels = (1280,)

    def __init__(self, pretrained: str | None = None, frozen_stages: int = -1) -> None:
        super().__init__(pretrained, frozen_stages)
        width = 32
        self.conv1 = ConvNorm(3, width, 3, 2, cut=F.relu6)
        for i, (wider, out, count, stride) in enumerate(_STAGES, 1):
            first, rest = InvertedResidual(width, out, wider, stride), range(count - 1)
            self.add_module(f'layer{i}', nn.Sequential(first, *(InvertedResidual(out, out, wider, 1) for _ in rest)))
            width = out
        self.conv2 = ConvNorm(width, *self.out_channels, cut=F.relu6)
        self.apply(_start)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.conv1,) if index == 0 else (self.get_submodule(f'layer{index}'),)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.conv1(image)
        for i in range(1, self.stages + 1):
            x = self.get_submodule(f'layer{i}')(x)
        return (self.conv2(x),)


def _start(module: nn.Module) -> None:
    """He's start (https://arxiv.org/abs/1502.01852)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
