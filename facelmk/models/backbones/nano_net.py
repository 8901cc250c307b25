"""NanoNet: 0.9 million parameters, for crops of 112 pixels and one CPU thread.

Beside QuickNet's blocks, it has one at stride 8 and three at stride 4, where coarse and fine features have been added.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES, Range
from .blocks import ConvNorm, he_init
from .separable_pyramid import Separable, SeparablePyramid


@BACKBONES.register_module()
class NanoNet(SeparablePyramid):
    """One feature map of `width` channels at stride 4.

    `widths` and `depths` are the channels and the number of blocks at strides 4, 8 and 16. `merged` are the numbers of
    separable 5x5 blocks at strides 8 and 4, after the coarser features have been added.
    """

    ranges = {
        'width': (8, 1024),
        'widths': Range(8, 2048, length=3),
        'depths': Range(0, 32, length=3),
        'merged': Range(0, 32, length=2),
    }

    def __init__(
        self,
        width: int = 64,
        widths: Sequence[int] = (32, 112, 320),
        depths: Sequence[int] = (2, 4, 4),
        merged: Sequence[int] = (1, 3),
        pretrained: str | None = None,
        frozen_stages: int = -1,
    ) -> None:
        super().__init__(width, widths, depths, halve, pretrained, frozen_stages)
        self.merged = nn.ModuleList(nn.Sequential(*(Separable(width, 5) for _ in range(depth))) for depth in merged)
        self.apply(he_init)
        self.train()

    def after_sum(self, stride: int, total: Tensor) -> Tensor:
        return self.merged[0 if stride == 8 else 1](F.relu(total))


def halve(width: int, out: int) -> nn.Module:
    """A 3x3 convolution of stride 2, with BatchNorm and ReLU."""
    return ConvNorm(width, out, 3, stride=2)
