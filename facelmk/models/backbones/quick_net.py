"""QuickNet: a small network that trains within minutes on two cores, with depthwise convolutions at three strides.

Measured training times on one CPU core explain its design. In the channels_last layout a depthwise 3x3 convolution
takes at most a tenth of the time of a dense one. 64 channels cost seven times as much at stride 4 as at stride 8. So
the network computes little at stride 4 and most at stride 16.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES, Range
from .blocks import conv_norm_relu, he_init
from .separable_pyramid import Separable, SeparablePyramid


@BACKBONES.register_module()
class QuickNet(SeparablePyramid):
    """One feature map of `width` channels at stride 4: the sum of the features at strides 4, 8 and 16.

    `widths` and `depths` are the channels and the number of blocks at each stride.
    """

    ranges = {'width': (8, 1024), 'widths': Range(8, 2048, length=3), 'depths': Range(0, 32, length=3)}

    def __init__(
        self,
        width: int = 64,
        widths: Sequence[int] = (32, 96, 256),
        depths: Sequence[int] = (1, 3, 4),
        pretrained: str | None = None,
        frozen_stages: int = -1,
    ) -> None:
        super().__init__(width, widths, depths, halve, pretrained, frozen_stages)
        self.out = Separable(width)
        self.apply(he_init)
        self.train()

    def after_sum(self, stride: int, total: Tensor) -> Tensor:
        return self.out(F.relu(total)) if stride == 4 else total


def halve(width: int, out: int) -> nn.Module:
    """A 3x3 convolution of stride 2, with BatchNorm and ReLU."""
    return conv_norm_relu(width, out, stride=2)
