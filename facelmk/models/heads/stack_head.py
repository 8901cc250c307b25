"""A head without layers, for a backbone whose features are heatmaps already."""

from collections.abc import Sequence

from torch import Tensor

from ...errors import FacelmkError
from ...registry import HEADS
from .base import MAPS, Head


@HEADS.register_module()
class StackHead(Head):
    """Each feature is a stage."""

    kinds = MAPS
    ranges = {'in_channels': (1, 65536), 'out_channels': (1, 65536)}

    def __init__(self, in_channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        if set(in_channels) != {out_channels}:
            raise FacelmkError(
                f'StackHead: the features of the backbone have {tuple(in_channels)} channels. The codec expects '
                f'{out_channels}. Use StackedHourglass without maps=, which has as many, or another head.'
            )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The features, unchanged."""
        return list(features)
