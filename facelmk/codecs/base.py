"""The base class of codecs, and functions that several codecs use."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..registry import Ranges


class Codec:
    """Encode points (B, K, 2) in crop pixels into targets, decode outputs into points: batched, on the output's device.

    `tolerance` is the largest distance of decode(encode(p)) from p. `flip_bias` is the x offset of
    decode(flip(encode(p))) from the mirrored point, x' = size - 1 - x. Both are in crop pixels, for a crop four times
    as wide as the output. They hold for points at least `margin` pixels inside the crop.
    `kind` says what the outputs are, so that head and loss can be checked; '' is not checked. `has_spread` says whether
    `spread` returns more than None.
    """

    kind: str = ''
    has_spread = False
    ranges: Ranges = {}

    tolerance: float = 0.0
    flip_bias: float = 0.0
    margin: float = 0.0

    def channels(self, K: int, size: int | None = None) -> int:
        """The number of output channels for K points."""
        return K

    def bins(self, size: int) -> int | None:
        """The number of bins along a side of the crop; None for a codec without bins."""
        return None

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """The target, with the shape, dtype and device of `like`, and a weight that broadcasts to it."""
        raise TypeError(f'{type(self).__name__} must define encode()')

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Points (B, K, 2) in crop pixels and scores (B, K)."""
        raise TypeError(f'{type(self).__name__} must define decode()')

    def spread(self, output: Tensor, size: int) -> Tensor | None:
        """The covariance (B, K, 2, 2) of each point in squared crop pixels; None if the outputs do not show it."""
        return None

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        """Flip back the output of a mirrored crop; `mirror` is the landmark scheme's permutation (K,)."""
        raise TypeError(f'{type(self).__name__} must define flip()')

    def to_photo(self, points: Tensor, warp: Tensor) -> Tensor:
        """Map crop pixels (B, K, 2) to photograph pixels by the inverses of the crops' warps (B, 3, 3)."""
        matrix, offset = warp.double()[:, None, :2, :2], warp.double()[:, None, :2, 2]
        (a, b), (c, d) = (row.unbind(-1) for row in matrix.unbind(-2))
        x, y = (points.double() - offset).unbind(-1)
        determinant = a * d - b * c  # torch.linalg.inv would wait for the device
        return (torch.stack((d * x - b * y, a * y - c * x), -1) / determinant[..., None]).float()


def divide_axes(points: Tensor, divisors: Sequence[float]) -> Tensor:
    """Divide x and y of points (..., 2) by one number each; a tensor of them would be copied to the device."""
    x, y = divisors
    return points / x if x == y else torch.stack((points[..., 0] / x, points[..., 1] / y), -1)


def multiply_axes(points: Tensor, factors: Sequence[float]) -> Tensor:
    """Multiply x and y of points (..., 2) by one number each."""
    x, y = factors
    return points * x if x == y else torch.stack((points[..., 0] * x, points[..., 1] * y), -1)


def inside(points: Tensor, visible: Tensor, size: int) -> Tensor:
    """Whether each point (B, K) is visible and inside the crop."""
    return ((points >= 0) & (points <= size - 1)).all(-1) & (visible > 0.5)


def gaussian(offset: Tensor, sigma: float) -> Tensor:
    """A Gaussian of height 1, `offset` away from its peak.

    Heights below exp(-40) are 0: products of smaller ones may be denormal, and a CPU takes many times as long for them.
    """
    return torch.exp(F.threshold((offset**2).div_(-2 * sigma**2), -40.0, -math.inf))
