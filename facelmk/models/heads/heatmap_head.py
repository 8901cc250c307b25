"""Predict one heatmap a point (https://arxiv.org/abs/1804.06208; HRNetV2's head https://arxiv.org/abs/1908.07919)."""

from collections.abc import Sequence

from torch import Tensor, nn

from ...registry import HEADS
from .base import MAPS, Head, concatenate, small_normal_init


@HEADS.register_module()
class HeatmapHead(Head):
    """Heatmaps from all features, resized to the first and concatenated.

    `deconvs` transposed convolutions double the size each, `convs` 1x1 convolutions follow, one more makes the maps.
    """

    kinds = MAPS
    ranges = {'in_channels': (1, 65536), 'out_channels': (1, 65536), 'deconvs': (0, 4), 'convs': (0, 8)}

    def __init__(self, in_channels: Sequence[int], out_channels: int, deconvs: int = 0, convs: int = 0) -> None:
        super().__init__()
        width = sum(in_channels)
        self.deconv_layers = nn.Sequential()
        for _ in range(deconvs):
            self.deconv_layers.extend(
                [nn.ConvTranspose2d(width, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.ReLU(inplace=True)]
            )
            width = 256
        self.conv_layers = nn.Sequential()
        for _ in range(convs):
            self.conv_layers.extend([nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)])
        self.final_layer = nn.Conv2d(width, out_channels, 1)
        self.apply(small_normal_init)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One stage of maps (B, out_channels, H, W)."""
        return [self.final_layer(self.conv_layers(self.deconv_layers(concatenate(features))))]
