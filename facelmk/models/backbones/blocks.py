"""Residual blocks, and the convolution with normalisation that everything is made of."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F


def conv_norm(
    width: int, out: int, kernel: int = 3, stride: int = 1, groups: int = 1, momentum: float = 0.1
) -> list[nn.Module]:
    """A convolution that keeps the size (but for its stride), and its BatchNorm."""
    return [
        nn.Conv2d(width, out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out, momentum=momentum),
    ]


class ConvNorm(nn.Module):
    """A convolution, its BatchNorm and what cuts the result, under MMPose's names."""

    def __init__(
        self,
        width: int,
        out: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        cut: Callable[[Tensor], Tensor] | None = F.relu,
    ) -> None:
        super().__init__()
        self.conv, self.bn = conv_norm(width, out, kernel, stride, groups)
        self.cut = cut

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return x if self.cut is None else self.cut(x)


class Residual(nn.Module):
    """relu(body(x) + shortcut(x)); the shortcut is a 1x1 convolution where width or size change."""

    expansion: int = 1

    def shortcut(self, width: int, out: int, stride: int, momentum: float) -> nn.Sequential | None:
        """What makes x fit the sum, None where it does already."""
        if stride == 1 and width == out:
            return None
        return nn.Sequential(*conv_norm(width, out, 1, stride, momentum=momentum))

    def body(self, x: Tensor) -> Tensor:
        """The convolutions beside the shortcut."""
        raise TypeError(f'{type(self).__name__} must say what it adds')

    def forward(self, x: Tensor) -> Tensor:
        short = x if self.downsample is None else self.downsample(x)
        return self.relu(self.body(x) + short)


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
    """1x1 narrows, 3x3 works (and strides, as torchvision has it), 1x1 widens (https://arxiv.org/abs/1512.03385)."""

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
    """`count` blocks in a row; the first one strides."""
    out = planes * kind.expansion
    rest = [kind(out, planes, 1, momentum) for _ in range(count - 1)]
    return nn.Sequential(kind(width, planes, stride, momentum), *rest)
