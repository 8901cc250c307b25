"""What a backbone promises, and how its first stages are frozen."""

from collections.abc import Iterable

from torch import Tensor, nn

from ...errors import FacelmkError


class Backbone(nn.Module):
    """Crops (B, 3, S, S), S a multiple of 32, to a tuple of feature maps of `out_channels`, the finest first.

    `pretrained` names start weights (path, URL or `torchvision://resnet50`); they are fetched when training begins.
    `frozen_stages=n` keeps the stem and the stages up to n as they are: no gradients, BatchNorm as in evaluation.
    """

    out_channels: tuple[int, ...]
    stages: int = 4

    def __init__(self, pretrained: str | None = None, frozen_stages: int = -1) -> None:
        super().__init__()
        if not -1 <= frozen_stages <= self.stages:
            raise FacelmkError(
                f'{type(self).__name__}: frozen_stages={frozen_stages}; it is -1 (none) or the last '
                f'frozen stage, 0 (the stem) to {self.stages}'
            )
        self.pretrained, self.frozen_stages = pretrained, frozen_stages

    def stage(self, index: int) -> Iterable[nn.Module]:
        """The modules of the stem (0) or of one stage."""
        raise TypeError(f'{type(self).__name__} must say what its stages are')

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """The feature maps."""
        raise TypeError(f'{type(self).__name__} must say how it looks at a picture')

    def train(self, mode: bool = True) -> 'Backbone':
        """Training mode for all but the frozen stages."""
        super().train(mode)
        for index in range(self.frozen_stages + 1):
            for module in self.stage(index):
                module.eval().requires_grad_(False)
        return self
