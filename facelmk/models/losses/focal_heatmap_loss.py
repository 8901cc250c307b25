"""Focal loss of heatmaps: classify each cell as the point or background; confident cells count little."""

from torch import Tensor
from torch.nn import functional as F

from ...registry import LOSSES
from .base import Loss

_EPSILON = 1e-4  # probabilities stay this far from 0 and 1


@LOSSES.register_module()
class FocalHeatmapLoss(Loss):
    """CornerNet's focal loss (https://arxiv.org/abs/1808.01244), summed over cells, divided by the number of peaks:
    -(1 - p)^alpha log p at a peak, -(1 - target)^beta p^alpha log(1 - p) elsewhere.

    A peak is the highest cell of a target map, if it is at least `peak` high. The probability of a cell is
    p = sigmoid(steepness * (output - 1/2)). So p is 0.007 at the start (output 0), gradients are finite everywhere, and
    the codec decodes the output as usual. steepness=None uses the output itself as p, as MMPose does, clamped near 0
    and 1, where the gradient is then 0. peak=1 is MMPose's rule; maps with centre='exact' seldom reach 1, so that they
    have no peak. The loss is not 0 where output and target are equal, since it shrinks each blob to its peak.
    """

    comparable = False
    kinds = ('heatmaps',)
    ranges = {'alpha': (0, 10), 'beta': (0, 10), 'steepness': (0.1, 100), 'peak': (0.01, 1)}

    def __init__(
        self, alpha: float = 2.0, beta: float = 4.0, steepness: float | None = 10.0, peak: float = 0.5
    ) -> None:
        super().__init__()
        self.alpha, self.beta, self.steepness, self.peak = alpha, beta, steepness, peak

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        p, log_p, log_not_p = self._probabilities(output)
        height = target.flatten(2)
        is_peak = ((height == height.amax(-1, keepdim=True)) & (height >= self.peak)).view_as(target).to(output)
        positive = -is_peak * (1 - p) ** self.alpha * log_p
        negative = -(1 - is_peak) * (1 - target) ** self.beta * p**self.alpha * log_not_p
        if weight is not None:
            positive, negative, is_peak = positive * weight, negative * weight, is_peak * weight
        peaks = is_peak.sum()
        return (positive.sum() + negative.sum()) / peaks.where(peaks > 0, peaks.new_ones(()))

    def _probabilities(self, output: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """p, log p and log(1 - p)."""
        if self.steepness is None:
            p = output.clamp(_EPSILON, 1 - _EPSILON)
            return p, p.log(), (1 - p).log()
        logit = self.steepness * (output - 0.5)
        return logit.sigmoid(), F.logsigmoid(logit), F.logsigmoid(-logit)
