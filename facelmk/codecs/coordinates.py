"""Coordinates divided by the side of the crop, for regression (https://arxiv.org/abs/1312.4659)."""

import torch
from torch import Tensor

from ..errors import UnknownName, did_you_mean
from ..registry import CODECS
from .base import Codec, inside


@CODECS.register_module()
class Coordinates(Codec):
    """points / size. Points outside the crop and invisible points have weight 0.

    A mirrored x is 1 - x - 1 / size (`flip='exact'`), which is size - 1 - x in pixels. `flip='mmpose0'` is 1 - x, as in
    MMPose 0.x.
    """

    tolerance = 1e-3
    _shift_px = {'exact': 1, 'mmpose0': 0}
    kind = 'points'

    def __init__(self, flip: str = 'exact') -> None:
        if flip not in self._shift_px:
            raise UnknownName(f'Coordinates: flip={flip!r}. {did_you_mean(flip, self._shift_px)}')
        self.shift_px = self._shift_px[flip]
        self.flip_bias = float(1 - self.shift_px)

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        weight = inside(points, visible, size).to(like)[..., None]
        return (points / size).to(like), weight

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        return output * size, torch.ones_like(output[..., 0])

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        x, y = output[:, mirror].unbind(-1)
        return torch.stack((1 - x - self.shift_px / size, y), -1)
