"""Focal loss of heatmaps: each cell is the point's or not, and sure answers count little."""

from torch import Tensor
from torch.nn import functional as F

from ...registry import LOSSES
from .base import Loss

_SURE = 1e-4  # chances are kept this far from 0 and 1


@LOSSES.register_module()
class FocalHeatmapLoss(Loss):
    """(1 - p)^alpha log p on bumps' tops, (1 - target)^beta p^alpha log(1 - p) elsewhere, summed, a top
    (https://arxiv.org/abs/1808.01244).

    The top is a map's highest cell, from a height of `peak` on. A network's maps, whose bumps are about 1 high, say a
    chance p of sigmoid(steepness * (output - 1/2)): nothing is a point at first (output 0: p = 0.007), gradients are
    finite everywhere, and decoding sees maps as ever. steepness=None takes the output for p itself, as MMPose does,
    cut off near 0 and 1, where it then teaches nothing; peak=1 is MMPose's rule, which finds no top in exact bumps.
    The loss is not 0 where output and target are equal: bumps are to shrink to their top.
    """

    comparable = False

    def __init__(
        self, alpha: float = 2.0, beta: float = 4.0, steepness: float | None = 10.0, peak: float = 0.5
    ) -> None:
        super().__init__()
        self.alpha, self.beta, self.steepness, self.peak = alpha, beta, steepness, peak

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        chance, yes, no = self._chances(output)
        height = target.flatten(2)
        top = ((height == height.amax(-1, keepdim=True)) & (height >= self.peak)).view_as(target).to(output)
        hit = -top * (1 - chance) ** self.alpha * yes
        miss = -(1 - top) * (1 - target) ** self.beta * chance**self.alpha * no
        if weight is not None:
            hit, miss, top = hit * weight, miss * weight, top * weight
        tops = top.sum()
        return (hit.sum() + miss.sum()) / tops.where(tops > 0, tops.new_ones(()))

    def _chances(self, output: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """p, log p and log(1 - p)."""
        if self.steepness is None:
            chance = output.clamp(_SURE, 1 - _SURE)
            return chance, chance.log(), (1 - chance).log()
        odds = self.steepness * (output - 0.5)
        return odds.sigmoid(), F.logsigmoid(odds), F.logsigmoid(-odds)
