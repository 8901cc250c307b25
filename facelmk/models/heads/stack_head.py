"""No layers: for a backbone whose features are the maps already."""

from collections.abc import Sequence

from torch import Tensor

from ...errors import FacelmkError
from ...registry import HEADS
from .base import Head


@HEADS.register_module()
class StackHead(Head):
    """Each feature is a stage."""

    def __init__(self, in_channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        if set(in_channels) != {out_channels}:
            raise FacelmkError(
                f'StackHead: the backbone gives {tuple(in_channels)} maps, the codec takes '
                f'{out_channels}; a StackedHourglass without maps= gives as many, other backbones '
                'need another head'
            )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The features as they are."""
        return list(features)
