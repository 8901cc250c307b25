"""Residual blocks, the convolution with BatchNorm that backbones share, and He initialisation."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F


def conv_norm(
    width: int, out: int, kernel: int = 3, stride: int = 1, groups: int = 1, momentum: float = 0.1
) -> list[nn.Module]:
    """A convolution that keeps the size (divided by its stride), and its BatchNorm."""
    return [
        nn.Conv2d(width, out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out, momentum=momentum),
    ]


def conv_norm_relu(width: int, out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """`conv_norm`, then a ReLU."""
    return nn.Sequential(*conv_norm(width, out, kernel, stride), nn.ReLU(inplace=True))


def he_init(module: nn.Module) -> None:
    """He initialisation of a convolution (https://arxiv.org/abs/1502.01852)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')


def small_normal_init(module: nn.Module) -> None:
    """Initial weights of a convolution from a normal distribution of standard deviation 0.001, as HRNet and MMPose."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, std=0.001)


class ConvNorm(nn.Module):
    """A convolution, its BatchNorm and an activation, with MMPose's parameter names."""

    def __init__(
        self,
        width: int,
        out: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: Callable[[Tensor], Tensor] | None = F.relu,
    ) -> None:
        super().__init__()
        self.conv, self.bn = conv_norm(width, out, kernel, stride, groups)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return x if self.activation is None else self.activation(x)


class Residual(nn.Module):
    """relu(body(x) + shortcut(x)); the shortcut is a 1x1 convolution where width or size change."""

    expansion: int = 1
    relu: nn.Module
    downsample: nn.Module | None

    def shortcut(self, width: int, out: int, stride: int, momentum: float) -> nn.Sequential | None:
        """The module that brings x to the shape of body(x); None where x has that shape already."""
        if stride == 1 and width == out:
            return None
        return nn.Sequential(*conv_norm(width, out, 1, stride, momentum=momentum))

    def body(self, x: Tensor) -> Tensor:
        """The convolutions beside the shortcut."""
        raise TypeError(f'{type(self).__name__} must define body()')

    def forward(self, x: Tensor) -> Tensor:
        short = x if self.downsample is None else self.downsample(x)
        out = self.body(x)
        out += short  # in place: new memory costs a page fault for every 4 kB
        return self.relu(out)


class BasicBlock(Residual):
    """Two 3x3 convolutions (https://arxiv.org/abs/1512.03385)."""

    def __init__(self, width: int, planes: int, stride: int = 1, momentum: float = 0.1) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_norm(width, planes, 3, stride, momentum=momentum)
        self.conv2, self.bn2 = conv_norm(planes, planes, 3, momentum=momentum)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = self.shortcut(width, planes, stride, momentum)

    def body(self, x: Tensor) -> Tensor:
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))


class Bottleneck(Residual):
    """1x1 reduces the channels, 3x3 (with the stride, as in torchvision), 1x1 expands them (arXiv 1512.03385)."""

    expansion = 4

    def __init__(self, width: int, planes: int, stride: int = 1, momentum: float = 0.1) -> None:
        super().__init__()
        out = planes * self.expansion
        self.conv1, self.bn1 = conv_norm(width, planes, 1, momentum=momentum)
        self.conv2, self.bn2 = conv_norm(planes, planes, 3, stride, momentum=momentum)
        self.conv3, self.bn3 = conv_norm(planes, out, 1, momentum=momentum)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = self.shortcut(width, out, stride, momentum)

    def body(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.bn3(self.conv3(x))


def blocks(
    kind: type[Residual], width: int, planes: int, count: int, stride: int = 1, momentum: float = 0.1
) -> nn.Sequential:
    """A sequence of `count` blocks; the first one has the stride."""
    out = planes * kind.expansion
    others = [kind(out, planes, 1, momentum) for _ in range(count - 1)]
    return nn.Sequential(kind(width, planes, stride, momentum), *others)
