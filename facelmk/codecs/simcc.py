"""SimCC: one row of bins for x and one for y of each point (https://arxiv.org/abs/2107.03332).

Aligned bins (default): bin = (x + 0.5) * split - 0.5, so that a mirrored row is the row of the mirrored point.
MMPose's bins (aligned=False): bin = x * split.
"""

import math

import torch
from torch import Tensor

from ..errors import FacelmkError
from ..registry import CODECS
from .base import Codec, gaussian


@CODECS.register_module()
class SimCC(Codec):
    """Rows (B, K, 2, bins), x first, of `split` bins a pixel. The score is the lower one of the two maxima.

    The target is a Gaussian of `sigma` bins around the nearest bin, of height 1 or, with `normalise`, of area 1. With
    `smoothing`, or with sigma=0, it is a smoothed one-hot row: 1 - smoothing in the nearest bin, and `smoothing` spread
    evenly over the others.
    """

    kind = 'bins'
    ranges = {'sigma': (0, 100), 'split': (0.25, 16), 'smoothing': (0, 0.99)}

    def __init__(
        self,
        sigma: float = 6.0,
        split: float = 2.0,
        smoothing: float = 0.0,
        normalise: bool = False,
        aligned: bool = True,
    ) -> None:
        if not 0 <= smoothing < 1 or split <= 0:
            raise FacelmkError(
                f'SimCC: smoothing={smoothing}, split={split}. Expected 0 <= smoothing < 1 and split > 0 bins a pixel.'
            )
        self.sigma, self.split, self.smoothing = sigma, split, smoothing
        self.normalise, self.aligned = normalise, aligned
        self.offset = 0.5 if aligned else 0.0
        self.tolerance = 0.5 / split + 1e-4
        self.flip_bias = 0.0 if aligned else 1 - 1 / split

    def bins(self, size: int) -> int:
        return round(size * self.split)

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        centre = torch.round((points.float() + self.offset) * self.split - self.offset)  # halves go to the even bin
        make_rows = self._one_hot if self.smoothing or not self.sigma else self._gaussian
        rows, inside = make_rows(centre, like.shape[-1])
        is_visible, inside = visible > 0.5, inside.all(-1)
        weight = torch.where(inside | ~is_visible, visible.float(), torch.zeros_like(visible, dtype=torch.float))
        return (rows * (inside & is_visible)[..., None, None]).to(like), weight.to(like)[..., None, None]

    def _gaussian(self, centre: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """The Gaussian (B, K, 2, length) around a bin, and whether its three sigma overlap the row (B, K, 2)."""
        rows = gaussian(torch.arange(length, device=centre.device) - centre[..., None], self.sigma)
        if self.normalise:
            rows = rows / (self.sigma * math.sqrt(2 * math.pi))
        reach = 3 * self.sigma
        return rows, (centre - reach < length) & (centre + reach + 1 >= 0)

    def _one_hot(self, centre: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """The smoothed one-hot row (B, K, 2, length), and whether the row has that bin (B, K, 2)."""
        is_centre = torch.arange(length, device=centre.device) == centre[..., None]
        rows = torch.full(is_centre.shape, self.smoothing / (length - 1), device=centre.device)
        return rows.masked_fill(is_centre, 1 - self.smoothing), (centre >= 0) & (centre < length)

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        highest, bins = output.float().max(-1)
        scores = highest.amin(-1)
        bins = torch.where((scores > 0)[..., None], bins.float(), torch.full_like(highest, -1.0))
        return (bins + self.offset) / self.split - self.offset, scores

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        x, y = output[:, mirror].unbind(2)
        return torch.stack((x.flip(-1), y), 2)
