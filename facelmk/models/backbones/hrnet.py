"""HRNetV2 (https://arxiv.org/abs/1908.07919): four resolutions side by side, talking to each other all the way."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import FacelmkError
from ...registry import BACKBONES
from .base import Backbone
from .blocks import BasicBlock, Bottleneck, blocks, conv_norm

_MODULES = {2: 1, 3: 4, 4: 3}  # how many exchanges each stage makes; a stage has as many branches as its number says
_WIDTHS = (18, 32, 48)


def _down(width: int, out: int, momentum: float) -> nn.Sequential:
    """Half the size, with the ReLU that follows."""
    return nn.Sequential(*conv_norm(width, out, 3, 2, momentum=momentum), nn.ReLU(inplace=True))


class Exchange(nn.Module):
    """Four blocks on each branch, then every branch takes the sum of all, brought to its size."""

    def __init__(self, widths: list[int], momentum: float) -> None:
        super().__init__()
        self.branches = nn.ModuleList(blocks(BasicBlock, w, w, 4, momentum=momentum) for w in widths)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self._road(widths, i, j, momentum) for j in range(len(widths))) for i in range(len(widths))
        )
        self.relu = nn.ReLU(inplace=True)

    @staticmethod
    def _road(widths: list[int], i: int, j: int, momentum: float) -> nn.Module | None:
        """From branch j to branch i: 1x1 upwards (resized afterwards), a chain of strides downwards."""
        if i == j:
            return None
        if j > i:
            return nn.Sequential(*conv_norm(widths[j], widths[i], 1, momentum=momentum))
        steps = [_down(widths[j], widths[j], momentum) for _ in range(i - j - 1)]
        return nn.Sequential(*steps, nn.Sequential(*conv_norm(widths[j], widths[i], 3, 2, momentum=momentum)))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        features = [branch(x) for branch, x in zip(self.branches, features, strict=True)]
        return [self.relu(self._sum(i, roads, features)) for i, roads in enumerate(self.fuse_layers)]

    @staticmethod
    def _sum(i: int, roads: nn.ModuleList, features: list[Tensor]) -> Tensor:
        total = 0
        for j, (road, x) in enumerate(zip(roads, features, strict=True)):
            part = x if road is None else road(x)
            if j > i:
                part = F.interpolate(part, scale_factor=2 ** (j - i), mode='bilinear', align_corners=False)
            total = total + part
        return total


@BACKBONES.register_module()
class HRNet(Backbone):
    """HRNetV2 of `width` 18, 32 or 48: features at strides 4, 8, 16, 32; `momentum` is that of all BatchNorms."""

    def __init__(
        self, width: int = 18, momentum: float = 0.1, pretrained: str | None = None, frozen_stages: int = -1
    ) -> None:
        super().__init__(pretrained, frozen_stages)
        if width not in _WIDTHS:
            raise FacelmkError(f'HRNet: width={width}; there is width {", ".join(map(str, _WIDTHS))}')
        self.out_channels = tuple(width * 2**i for i in range(4))
        self.conv1, self.bn1 = conv_norm(3, 64, 3, 2, momentum=momentum)
        self.conv2, self.bn2 = conv_norm(64, 64, 3, 2, momentum=momentum)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = blocks(Bottleneck, 64, 64, 4, momentum=momentum)
        for number, count in _MODULES.items():
            widths = list(self.out_channels[:number])
            self.add_module(f'transition{number - 1}', self._transition(widths, momentum))
            self.add_module(f'stage{number}', nn.Sequential(*(Exchange(widths, momentum) for _ in range(count))))
        self.apply(_start)
        self.train()

    @staticmethod
    def _transition(widths: list[int], momentum: float) -> nn.ModuleList:
        """Opens one more branch; the first one also narrows what the stem gives."""
        if len(widths) == 2:
            narrow = nn.Sequential(*conv_norm(256, widths[0], momentum=momentum), nn.ReLU(inplace=True))
            return nn.ModuleList([narrow, nn.Sequential(_down(256, widths[1], momentum))])
        return nn.ModuleList([None] * (len(widths) - 1) + [nn.Sequential(_down(*widths[-2:], momentum))])

    def stage(self, index: int) -> Iterable[nn.Module]:
        if index == 0:
            return self.conv1, self.bn1, self.conv2, self.bn2
        stage = self.layer1 if index == 1 else self.get_submodule(f'stage{index}')
        return (stage,) if index == 4 else (stage, self.get_submodule(f'transition{index}'))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.relu(self.bn1(self.conv1(image)))
        x = self.layer1(self.relu(self.bn2(self.conv2(x))))
        features = [x, x]
        for number in _MODULES:
            opened = features if number == 2 else [*features, features[-1]]
            roads = self.get_submodule(f'transition{number - 1}')
            features = [x if road is None else road(x) for road, x in zip(roads, opened, strict=True)]
            features = self.get_submodule(f'stage{number}')(features)
        return tuple(features)


def _start(module: nn.Module) -> None:
    """Small random weights, as HRNet's authors start."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, std=0.001)
