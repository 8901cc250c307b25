"""SCNet: a ResNet with self-calibrated convolutions (http://mftp.mmcheng.net/Papers/20cvprSCNet.pdf)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import BACKBONES
from .blocks import Residual, conv_norm
from .resnet import ResNet

_POOL = 4  # the calibrating branch pools 4 x 4 cells


class Pool(nn.Module):
    """Average pooling over 4x4 cells, or over the whole map if it is smaller."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, min(_POOL, *x.shape[-2:]))


class SelfCalibrated(nn.Module):
    """A 3x3 convolution, gated by a pooled branch of the same features, then another 3x3."""

    def __init__(self, width: int, stride: int, momentum: float) -> None:
        super().__init__()
        self.k2 = nn.Sequential(Pool(), *conv_norm(width, width, momentum=momentum))
        self.k3 = nn.Sequential(*conv_norm(width, width, momentum=momentum))
        self.k4 = nn.Sequential(*conv_norm(width, width, 3, stride, momentum=momentum), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(x + F.interpolate(self.k2(x), x.shape[-2:]))
        return self.k4(self.k3(x) * gate)


class SelfCalibratedBottleneck(Residual):
    """A bottleneck of two halves: a plain 3x3 convolution and a self-calibrated one."""

    expansion = 4

    def __init__(self, width: int, planes: int, stride: int = 1, momentum: float = 0.1) -> None:
        super().__init__()
        half, out = planes // 2, planes * self.expansion
        self.conv1, self.bn1 = conv_norm(width, half, 1, momentum=momentum)
        self.k1 = nn.Sequential(*conv_norm(half, half, 3, stride, momentum=momentum), nn.ReLU(inplace=True))
        self.conv2, self.bn2 = conv_norm(width, half, 1, momentum=momentum)
        self.scconv = SelfCalibrated(half, stride, momentum)
        self.conv3, self.bn3 = conv_norm(planes, out, 1, momentum=momentum)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = self.shortcut(width, out, stride, momentum)

    def body(self, x: Tensor) -> Tensor:
        plain = self.k1(self.relu(self.bn1(self.conv1(x))))
        calibrated = self.scconv(self.relu(self.bn2(self.conv2(x))))
        return self.bn3(self.conv3(torch.cat((plain, calibrated), 1)))


@BACKBONES.register_module()
class SCNet(ResNet):
    """SCNet of `depth` 50 or 101. The features of `out_stages` 1 to 4 have strides 4, 8, 16 and 32."""

    depths = {50: (SelfCalibratedBottleneck, (3, 4, 6, 3)), 101: (SelfCalibratedBottleneck, (3, 4, 23, 3))}
    ranges = {'depth': {50, 101}}
