"""The loss of box maps: focal loss of the centres, generalised overlap of the boxes."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ...codecs.box_maps import LOG_SIDE_LIMITS
from ...registry import LOSSES
from .base import Loss

PEAK = 0.99  # the heat of a centre's own cell


@LOSSES.register_module()
class BoxMapsLoss(Loss):
    """The focal loss of the centres for each face, plus `sides` times the mean of 1 - GIoU over cells with a weight.

    The focal loss is that of CornerNet (https://arxiv.org/abs/1808.01244); GIoU is the generalised intersection over
    union of the boxes (https://arxiv.org/abs/1902.09630). The focal loss is not 0 where output and target are equal,
    because it shrinks each blob to its peak.
    """

    comparable = False
    kinds = ('box maps',)
    ranges = {'alpha': (0, 10), 'beta': (0, 10), 'sides': (0, 1000)}

    def __init__(self, alpha: float = 2.0, beta: float = 4.0, sides: float = 2.0) -> None:
        super().__init__()
        self.alpha, self.beta, self.sides = alpha, beta, sides

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """The loss of maps (B, 5, H, W)."""
        weight = torch.ones_like(output) if weight is None else weight.expand_as(output)
        centres = self._centres(output[:, 0], target[:, 0].sigmoid(), weight[:, 0])
        box_weight = weight[:, 1]
        overlap = generalised_overlap(output[:, 1:], target[:, 1:])
        total = box_weight.sum()
        return centres + self.sides * (box_weight * (1 - overlap)).sum() / total.where(total > 0, total.new_ones(()))

    def _centres(self, logit: Tensor, heat: Tensor, weight: Tensor) -> Tensor:
        """The focal loss, divided by the number of faces."""
        p = logit.sigmoid()
        is_peak = (heat >= PEAK).to(logit)
        positive = -is_peak * (1 - p) ** self.alpha * F.logsigmoid(logit)
        negative = -(1 - is_peak) * (1 - heat) ** self.beta * p**self.alpha * F.logsigmoid(-logit)
        faces = (is_peak * weight).sum()
        return ((positive + negative) * weight).sum() / faces.clamp_min(1)


def generalised_overlap(output: Tensor, target: Tensor) -> Tensor:
    """The generalised intersection over union (B, H, W) of boxes as offset x, y, log width, log height (B, 4, H, W)."""
    (low, high), (other_low, other_high) = _corners(output), _corners(target)
    shared = (torch.minimum(high, other_high) - torch.maximum(low, other_low)).clamp_min(0).prod(1)
    enclosing = (torch.maximum(high, other_high) - torch.minimum(low, other_low)).prod(1)
    union = (high - low).prod(1) + (other_high - other_low).prod(1) - shared
    return shared / union - (enclosing - union) / enclosing


def _corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    half = boxes[:, 2:].clamp(*LOG_SIDE_LIMITS).exp() / 2
    return boxes[:, :2] - half, boxes[:, :2] + half
