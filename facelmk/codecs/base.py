"""What a codec promises: points to a target and back, and what a mirrored output means."""

import torch
from torch import Tensor


class Codec:
    """Points (B, K, 2) in crop pixels <-> what a network speaks. In torch, batched, on the output's device.

    `tolerance` is how far decode(encode(p)) may lie from p, and `flip_bias` how far decode(flip(encode(p))) lies from
    the mirrored point, x' = size - 1 - x; both in pixels of a crop four times as wide as the output's grid. `margin`
    is how far from the crop's edge these promises begin.
    """

    tolerance: float = 0.0
    flip_bias: float = 0.0
    margin: float = 0.0

    def channels(self, K: int, size: int | None = None) -> int:
        """How many channels the head needs for K points."""
        return K

    def bins(self, size: int) -> int | None:
        """How many bins a side has, where points are spoken of side by side."""
        return None

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Target of the shape, dtype and device of `like`, and a weight that broadcasts to it."""
        raise TypeError(f'{type(self).__name__} must say how it encodes')

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Points (B, K, 2) in crop pixels and scores (B, K)."""
        raise TypeError(f'{type(self).__name__} must say how it decodes')

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        """The output of a mirrored crop as an output of the crop itself; `mirror` is the mark-up's permutation (K,)."""
        raise TypeError(f'{type(self).__name__} must say what a mirrored output means')

    def to_photo(self, points: Tensor, warp: Tensor) -> Tensor:
        """Crop pixels (B, K, 2) to photograph pixels, by the inverse of the warps (B, 3, 3) that made the crops."""
        back = torch.linalg.inv(warp.double())
        return (points.double() @ back[:, :2, :2].mT + back[:, None, :2, 2]).float()


def inside(points: Tensor, visible: Tensor, size: int) -> Tensor:
    """Which points (B, K) are visible and lie on the pixels of the crop."""
    return ((points >= 0) & (points <= size - 1)).all(-1) & (visible > 0.5)


def gaussian(offset: Tensor, sigma: float) -> Tensor:
    """The bell curve of height 1 at distance `offset`."""
    return torch.exp(-(offset**2) / (2 * sigma**2))
