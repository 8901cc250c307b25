"""HRNetV2 (https://arxiv.org/abs/1908.07919): four parallel resolutions that exchange features after every module."""

from collections.abc import Iterable
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import FacelmkError
from ...registry import BACKBONES
from .base import Backbone
from .blocks import BasicBlock, Bottleneck, blocks, conv_norm, small_normal_init

_MODULES = {2: 1, 3: 4, 4: 3}  # modules a stage; stage n has n branches
_WIDTHS = (18, 32, 48)


Paths = Iterable[nn.Module | None]


def optional_modules(modules: Paths) -> nn.ModuleList:
    """A ModuleList in which None stands for the identity: torch accepts it, its type hints do not."""
    return nn.ModuleList(cast(Iterable[nn.Module], modules))


def _down(width: int, out: int, momentum: float) -> nn.Sequential:
    """A 3x3 convolution of stride 2, BatchNorm and ReLU."""
    return nn.Sequential(*conv_norm(width, out, 3, 2, momentum=momentum), nn.ReLU(inplace=True))


class Exchange(nn.Module):
    """Four blocks on each branch; then each branch becomes the sum of all, resized to its resolution."""

    def __init__(self, widths: list[int], momentum: float) -> None:
        super().__init__()
        self.branches = nn.ModuleList(blocks(BasicBlock, w, w, 4, momentum=momentum) for w in widths)
        self.fuse_layers = nn.ModuleList(
            optional_modules(self._path(widths, i, j, momentum) for j in range(len(widths))) for i in range(len(widths))
        )
        self.relu = nn.ReLU(inplace=True)

    @staticmethod
    def _path(widths: list[int], i: int, j: int, momentum: float) -> nn.Module | None:
        """From branch j to branch i: a 1x1 to a finer branch (upsampled later), strided 3x3s to a coarser one."""
        if i == j:
            return None
        if j > i:
            return nn.Sequential(*conv_norm(widths[j], widths[i], 1, momentum=momentum))
        steps = [_down(widths[j], widths[j], momentum) for _ in range(i - j - 1)]
        return nn.Sequential(*steps, nn.Sequential(*conv_norm(widths[j], widths[i], 3, 2, momentum=momentum)))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        features = [branch(x) for branch, x in zip(self.branches, features, strict=True)]
        return [self.relu(self._sum(i, cast(Paths, paths), features)) for i, paths in enumerate(self.fuse_layers)]

    @staticmethod
    def _sum(i: int, paths: Paths, features: list[Tensor]) -> Tensor:
        """The sum of all branches at the resolution of branch i, in the memory of one that a path has made."""
        total = features[0]
        is_new = False  # the features themselves are other paths' input
        for j, (path, x) in enumerate(zip(paths, features, strict=True)):
            part = x if path is None else path(x)
            if j > i:
                part = F.interpolate(part, scale_factor=2 ** (j - i), mode='bilinear', align_corners=False)
            if j == 0:
                total, is_new = part, path is not None
            elif is_new:
                total += part
            else:
                total, is_new = part.add_(total), True
        return total


@BACKBONES.register_module()
class HRNet(Backbone):
    """HRNetV2 of `width` 18, 32 or 48: features at strides 4, 8, 16, 32; all BatchNorms have this `momentum`."""

    ranges = {'width': set(_WIDTHS), 'momentum': (0.001, 1)}

    def __init__(
        self, width: int = 18, momentum: float = 0.1, pretrained: str | None = None, frozen_stages: int = -1
    ) -> None:
        super().__init__(pretrained, frozen_stages)
        if width not in _WIDTHS:
            raise FacelmkError(f'HRNet: width={width}. Expected {", ".join(map(str, _WIDTHS))}.')
        self.out_channels = tuple(width * 2**i for i in range(4))
        self.conv1, self.bn1 = conv_norm(3, 64, 3, 2, momentum=momentum)
        self.conv2, self.bn2 = conv_norm(64, 64, 3, 2, momentum=momentum)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = blocks(Bottleneck, 64, 64, 4, momentum=momentum)
        for number, count in _MODULES.items():
            widths = list(self.out_channels[:number])
            self.add_module(f'transition{number - 1}', self._transition(widths, momentum))
            self.add_module(f'stage{number}', nn.Sequential(*(Exchange(widths, momentum) for _ in range(count))))
        self.apply(small_normal_init)
        self.train()

    @staticmethod
    def _transition(widths: list[int], momentum: float) -> nn.ModuleList:
        """Add one branch; the first transition also reduces the channels of the stem."""
        if len(widths) == 2:
            reduce = nn.Sequential(*conv_norm(256, widths[0], momentum=momentum), nn.ReLU(inplace=True))
            return nn.ModuleList([reduce, nn.Sequential(_down(256, widths[1], momentum))])
        new_branch = nn.Sequential(_down(widths[-2], widths[-1], momentum))
        return optional_modules([*[None] * (len(widths) - 1), new_branch])

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
            inputs = features if number == 2 else [*features, features[-1]]
            paths = cast(Paths, self.get_submodule(f'transition{number - 1}'))
            features = [x if path is None else path(x) for path, x in zip(paths, inputs, strict=True)]
            features = self.get_submodule(f'stage{number}')(features)
        return tuple(features)
