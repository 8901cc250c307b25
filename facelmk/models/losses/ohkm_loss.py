"""Online hard keypoint mining: mean squared error of the hardest maps of each face (https://arxiv.org/abs/1711.07319)."""

from torch import Tensor

from ...errors import FacelmkError
from ...registry import LOSSES
from .base import Loss, weighted


@LOSSES.register_module()
class OHKMLoss(Loss):
    """The mean over the faces; of each face, the mean over its `topk` maps with the largest mean squared error.

    A map of weight 0 has an error of 0, so it only counts in a face with fewer than `topk` other maps.
    """

    kinds = ('heatmaps', 'heatmaps of height 255')
    ranges = {'topk': (1, 10_000)}

    def __init__(self, topk: int = 8) -> None:
        super().__init__()
        if topk < 1:
            raise FacelmkError(
                f'OHKMLoss: topk={topk}. Expected the number of maps that count in each face, at least 1.'
            )
        self.topk = topk

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        output, target = weighted(output, target, weight)
        errors = ((output - target) ** 2).flatten(2).mean(-1)
        return errors.topk(min(self.topk, errors.shape[1]), dim=1, sorted=False).values.mean()
