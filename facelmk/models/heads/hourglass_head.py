"""Predict one heatmap a point from each hourglass (https://arxiv.org/abs/1603.06937)."""

from collections.abc import Sequence

from torch import Tensor, nn

from ...registry import HEADS
from .base import MAPS, Head, small_normal_init


@HEADS.register_module()
class HourglassHead(Head):
    """One 1x1 convolution for each feature, so there is one stage a feature. MMPose calls it CPMHead."""

    kinds = MAPS
    ranges = {'in_channels': (1, 65536), 'out_channels': (1, 65536)}

    def __init__(self, in_channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        self.multi_final_layers = nn.ModuleList(nn.Conv2d(width, out_channels, 1) for width in in_channels)
        self.apply(small_normal_init)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Stages of maps (B, out_channels, H, W)."""
        return [layer(x) for layer, x in zip(self.multi_final_layers, features, strict=True)]
