"""Coordinates as shares of the crop: what a regression speaks (https://arxiv.org/abs/1312.4659)."""

import torch
from torch import Tensor

from ..errors import UnknownName, did_you_mean
from ..registry import CODECS
from .base import Codec, inside


@CODECS.register_module()
class Coordinates(Codec):
    """points / size. A point off the crop or invisible counts nothing.

    A mirrored x is 1 - x - 1 / size (`flip='exact'`), which is size - 1 - x in pixels; 'mmpose0' is 1 - x, as the
    first releases of MMPose had it.
    """

    tolerance = 1e-3
    _rows = {'exact': 1, 'mmpose0': 0}

    def __init__(self, flip: str = 'exact') -> None:
        if flip not in self._rows:
            raise UnknownName(f'Coordinates: flip={flip!r}. {did_you_mean(flip, self._rows)}')
        self.lost = self._rows[flip]
        self.flip_bias = float(1 - self.lost)

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        weight = inside(points, visible, size).to(like)[..., None]
        return (points / size).to(like), weight

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        return output * size, torch.ones_like(output[..., 0])

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        x, y = output[:, mirror].unbind(-1)
        return torch.stack((1 - x - self.lost / size, y), -1)
