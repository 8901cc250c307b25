"""The base class of backbones, which also freezes their first stages."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from ...errors import FacelmkError
from ...registry import Ranges


class Backbone(nn.Module):
    """Map crops (B, 3, S, S), S a multiple of `multiple`, to feature maps of `out_channels`, the finest first.

    `pretrained` names the initial weights (path, URL or `torchvision://resnet50`), which are loaded when training
    starts. `frozen_stages=n` freezes the stem and the stages up to n: no gradients, BatchNorm in evaluation mode.
    """

    out_channels: tuple[int, ...]
    stages: int = 4
    multiple: int = 32
    ranges: Ranges = {'frozen_stages': (-1, 32)}

    def __init__(self, pretrained: str | None = None, frozen_stages: int = -1) -> None:
        super().__init__()
        if not -1 <= frozen_stages <= self.stages:
            raise FacelmkError(
                f'{type(self).__name__}: frozen_stages={frozen_stages}. Expected -1 (nothing is frozen), 0 (the stem) '
                f'or the number of the last frozen stage, at most {self.stages}.'
            )
        self.pretrained, self.frozen_stages = pretrained, frozen_stages

    @classmethod
    def side_multiple(cls, values: Mapping[str, Any]) -> int:
        """What the side of a crop must be a multiple of, for these arguments."""
        return cls.multiple

    def stage(self, index: int) -> Iterable[nn.Module]:
        """The modules of the stem (0) or of one stage."""
        raise TypeError(f'{type(self).__name__} must define stage()')

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """The feature maps."""
        raise TypeError(f'{type(self).__name__} must define forward()')

    def train(self, mode: bool = True) -> 'Backbone':
        """Set training mode, except for the frozen stages."""
        super().train(mode)
        for index in range(self.frozen_stages + 1):
            for module in self.stage(index):
                module.eval().requires_grad_(False)
        return self
