"""Mean squared error of the hardest maps of each face (https://arxiv.org/abs/1711.07319)."""

from torch import Tensor

from ...errors import FacelmkError
from ...registry import LOSSES
from .base import Loss, weighted


@LOSSES.register_module()
class OHKMLoss(Loss):
    """The mean over faces of the mean over their `topk` maps of largest mean squared error; of all, if there are less.

    A map of weight 0 has no error, so it is taken only where fewer than `topk` others are left.
    """

    def __init__(self, topk: int = 8) -> None:
        super().__init__()
        if topk < 1:
            raise FacelmkError(f'OHKMLoss: topk={topk}; it is how many maps of a face count, at least 1')
        self.topk = topk

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        output, target = weighted(output, target, weight)
        errors = ((output - target) ** 2).flatten(2).mean(-1)
        return errors.topk(min(self.topk, errors.shape[1]), dim=1, sorted=False).values.mean()
