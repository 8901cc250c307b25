"""Hourglass-52, one hourglass of residual blocks (https://arxiv.org/abs/1603.06937), with MMPose's parameter names."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES
from .base import Backbone
from .blocks import BasicBlock, ConvNorm, blocks, small_normal_init

_WIDTHS = (256, 256, 384, 384, 384, 512)


class Level(nn.Module):
    """Two blocks at this size, plus the upsampled output of the level below (four blocks below the last level)."""

    def __init__(self, width: int, below: int, *deeper: int) -> None:
        super().__init__()
        self.up1 = blocks(BasicBlock, width, width, 2)
        self.low1 = blocks(BasicBlock, width, below, 2, 2)
        self.low2 = Level(below, *deeper) if deeper else blocks(BasicBlock, below, below, 4)
        self.low3 = nn.Sequential(BasicBlock(below, below), BasicBlock(below, width))

    def forward(self, x: Tensor) -> Tensor:
        below = self.low3(self.low2(self.low1(x)))
        return self.up1(x) + F.interpolate(below, x.shape[-2:], mode='nearest')


@BACKBONES.register_module()
class Hourglass(Backbone):
    """One feature map of 256 channels at stride 4. Goes with `HourglassHead`."""

    stages = 1

    def __init__(self, pretrained: str | None = None, frozen_stages: int = -1) -> None:
        super().__init__(pretrained, frozen_stages)
        width = _WIDTHS[0]
        self.out_channels = (width,)
        self.stem = nn.Sequential(ConvNorm(3, 128, 7, 2), blocks(BasicBlock, 128, width, 1, 2))
        self.hourglass_modules = nn.ModuleList([Level(*_WIDTHS)])
        self.out_convs = nn.ModuleList([ConvNorm(width, width, 3)])
        self.inters = _parameters_to_buffers(blocks(BasicBlock, width, width, 1))
        self.apply(small_normal_init)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.stem,) if index == 0 else (self.hourglass_modules,)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return (self.out_convs[0](self.hourglass_modules[0](self.stem(image))),)


def _parameters_to_buffers(module: nn.Module) -> nn.Module:
    """Turn parameters into buffers. MMPose's files hold these weights, but its forward never uses them.

    As buffers they are loaded and saved, and DistributedDataParallel does not wait for their gradients.
    """
    for part in module.modules():
        for name, weight in list(part.named_parameters(recurse=False)):
            delattr(part, name)
            part.register_buffer(name, weight.detach())
    return module
