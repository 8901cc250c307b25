"""ResNet (https://arxiv.org/abs/1512.03385), with torchvision's parameter names."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from ...errors import FacelmkError
from ...registry import BACKBONES
from .base import Backbone
from .blocks import BasicBlock, Bottleneck, Residual, blocks, conv_norm, he_init


@BACKBONES.register_module()
class ResNet(Backbone):
    """ResNet of `depth` 18, 50 or 101. The features of `out_stages` 1 to 4 have strides 4, 8, 16 and 32."""

    depths: dict[int, tuple[type[Residual], tuple[int, ...]]] = {
        18: (BasicBlock, (2, 2, 2, 2)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
    }
    ranges = {'depth': {18, 34, 50, 101}, 'out_stages': {1, 2, 3, 4}}

    def __init__(
        self, depth: int = 50, out_stages: Sequence[int] = (4,), pretrained: str | None = None, frozen_stages: int = -1
    ) -> None:
        super().__init__(pretrained, frozen_stages)
        if depth not in self.depths or not set(out_stages) <= {1, 2, 3, 4} or not out_stages:
            raise FacelmkError(
                f'{type(self).__name__}: depth={depth}, out_stages={tuple(out_stages)}. '
                f'Expected a depth of {", ".join(map(str, self.depths))}, and out_stages out of 1, 2, 3, 4.'
            )
        kind, counts = self.depths[depth]
        self.out_stages = tuple(sorted(out_stages))
        self.conv1, self.bn1 = conv_norm(3, 64, 7, 2)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        widths = [64, *(64 * 2**i * kind.expansion for i in range(4))]
        for i, count in enumerate(counts):
            self.add_module(f'layer{i + 1}', blocks(kind, widths[i], 64 * 2**i, count, 2 if i else 1))
        self.out_channels = tuple(widths[i] for i in self.out_stages)
        self.apply(he_init)
        self.train()

    def stage(self, index: int) -> Iterable[nn.Module]:
        return (self.conv1, self.bn1) if index == 0 else (self.get_submodule(f'layer{index}'),)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        features = []
        for i in range(1, self.out_stages[-1] + 1):
            x = self.get_submodule(f'layer{i}')(x)
            if i in self.out_stages:
                features.append(x)
        return tuple(features)
