"""A backbone, a head and a loss, each of a few lines."""

from torch import nn

from facelmk.registry import BACKBONES, HEADS, LOSSES


@BACKBONES.register_module()
class TwoConvs(nn.Module):
    """Two convolutions of stride 4: one feature map of `width` channels."""

    def __init__(self, width=16):
        super().__init__()
        self.out_channels = (width,)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 5, 4, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, width, 5, 4, 2))

    def forward(self, image):
        return (self.body(image),)


@HEADS.register_module()
class FlatHead(nn.Module):
    """One linear layer on all `cells` of the last map: two numbers a point."""

    def __init__(self, in_channels, out_channels, cells=16):
        super().__init__()
        self.layer = nn.Linear(cells * in_channels[-1], 2 * out_channels)

    def forward(self, features):
        return [self.layer(features[-1].flatten(1)).unflatten(-1, (-1, 2))]


@LOSSES.register_module()
class FarLoss(nn.Module):
    """The mean squared distance."""

    def forward(self, output, target, weight=None):
        return (((output - target) ** 2) * (1 if weight is None else weight)).mean()
