"""SimCC: one row of bins for x and one for y of each point (https://arxiv.org/abs/2107.03332).

Aligned bins (default): bin = (x + 0.5) * split - 0.5, so that a mirrored row is the row of the mirrored point.
MMPose's bins (aligned=False): bin = x * split.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import FacelmkError, UnknownName
from ..registry import CODECS
from .base import Codec, gaussian
from .refine import dark_rows

MIN_DARK_SIGMA = 0.8  # its kernel has three bins; a smaller one blurs nothing


@CODECS.register_module()
class SimCC(Codec):
    """Rows (B, K, 2, bins), x first, of `split` bins a pixel. The score is the lower one of the two maxima.

    The target is a Gaussian of `sigma` bins around the nearest bin, of height 1 or, with `normalise`, of area 1; a pair
    of sigmas is for x and for y. With `smoothing`, or with sigma=0, the target is a smoothed one-hot row: 1 - smoothing
    in the nearest bin, and `smoothing` spread evenly over the others. `refine='dark'` moves the decoded bin to the
    maximum of a parabola in the logarithm of the row, blurred by a kernel that follows from `sigma`
    (https://arxiv.org/abs/1910.06278).
    """

    kind = 'bins'
    ranges = {'sigma': (0, 100), 'split': (0.25, 16), 'smoothing': (0, 0.99)}

    def __init__(
        self,
        sigma: float | Sequence[float] = 6.0,
        split: float = 2.0,
        smoothing: float = 0.0,
        normalise: bool = False,
        aligned: bool = True,
        refine: str | None = None,
    ) -> None:
        if not 0 <= smoothing < 1 or split <= 0:
            raise FacelmkError(
                f'SimCC: smoothing={smoothing}, split={split}. Expected 0 <= smoothing < 1 and split > 0 bins a pixel.'
            )
        if refine not in ('dark', None):
            raise UnknownName(f"SimCC: refine={refine!r}. Expected 'dark' or None.")
        self.sigma, self.split, self.smoothing = check_sigmas(sigma, refine), split, smoothing
        self.normalise, self.aligned, self.refine = normalise, aligned, refine
        self.offset = 0.5 if aligned else 0.0
        self.tolerance = 0.5 / split + 1e-4
        self.flip_bias = 0.0 if aligned else 1 - 1 / split
        if refine:  # near the ends of a row the blur has less than its kernel
            self.margin = (3 * max(self.sigma) + max(map(dark_kernel, self.sigma)) // 2) / split

    def bins(self, size: int) -> int:
        number = round(size * self.split)
        if number < 2 or max(self.sigma) > number:
            raise FacelmkError(
                f'SimCC: split={self.split}, sigma={self.sigma} for a crop of {size} pixels, which has {number} bins. '
                'Expected at least two bins, and a sigma of no more bins than that. Set model.codec.split or .sigma'
            )
        return number

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        centre = torch.round((points.float() + self.offset) * self.split - self.offset)  # halves go to the even bin
        make_rows = self._one_hot if self.smoothing or not any(self.sigma) else self._gaussian
        rows, inside = make_rows(centre, like.shape[-1])
        is_visible, inside = visible > 0.5, inside.all(-1)
        weight = torch.where(inside | ~is_visible, visible.float(), torch.zeros_like(visible, dtype=torch.float))
        return (rows * (inside & is_visible)[..., None, None]).to(like), weight.to(like)[..., None, None]

    def _gaussian(self, centre: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """The Gaussian (B, K, 2, length) around a bin, and whether its three sigma overlap the row (B, K, 2)."""
        bins = torch.arange(length, device=centre.device)
        rows, inside = [], []
        for middle, sigma in zip(centre.unbind(-1), self.sigma, strict=True):
            row = gaussian(bins - middle[..., None], sigma)
            rows.append(row / (sigma * math.sqrt(2 * math.pi)) if self.normalise else row)
            inside.append((middle - 3 * sigma < length) & (middle + 3 * sigma + 1 >= 0))
        return torch.stack(rows, -2), torch.stack(inside, -1)

    def _one_hot(self, centre: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """The smoothed one-hot row (B, K, 2, length), and whether the row has that bin (B, K, 2)."""
        is_centre = torch.arange(length, device=centre.device) == centre[..., None]
        rows = torch.full(is_centre.shape, self.smoothing / (length - 1), device=centre.device)
        return rows.masked_fill(is_centre, 1 - self.smoothing), (centre >= 0) & (centre < length)

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        highest, index = output.float().max(-1)
        scores, bins = highest.amin(-1), index.float()
        if self.refine:
            axes = zip(output.float().unbind(2), index.unbind(2), self.sigma, strict=True)
            bins = bins + torch.stack(
                [dark_rows(rows, highest_bin, dark_kernel(s)) for rows, highest_bin, s in axes], -1
            )
        bins = torch.where((scores > 0)[..., None], bins, torch.full_like(bins, -1.0))
        return (bins + self.offset) / self.split - self.offset, scores

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        x, y = output[:, mirror].unbind(2)
        return torch.stack((x.flip(-1), y), 2)


def check_sigmas(sigma: float | Sequence[float], refine: str | None) -> tuple[float, float]:
    """Return the sigmas of x and y; refuse those that make no row."""
    sigmas = (sigma, sigma) if isinstance(sigma, (int, float)) else tuple(sigma)
    least = MIN_DARK_SIGMA if refine else 0
    if len(sigmas) != 2 or not all(least <= value < math.inf for value in sigmas) or (min(sigmas) == 0 < max(sigmas)):
        expected = f'at least {least} with refine={refine!r}' if refine else '0 or more; 0 for both axes or for none'
        raise FacelmkError(f'SimCC: sigma={sigma!r}. Expected one number of bins, or two for x and y: {expected}.')
    return float(sigmas[0]), float(sigmas[1])


def dark_kernel(sigma: float) -> int:
    """The odd kernel that MMPose blurs a row with, from the sigma of its target."""
    kernel = int((sigma * 20 - 7) // 3)
    return kernel - (kernel % 2 == 0)
