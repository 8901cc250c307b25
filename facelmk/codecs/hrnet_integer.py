"""The integer coordinates of the original HRNet for faces, only to reproduce its published figures."""

import math

import torch
from torch import Tensor

from ..registry import CODECS
from .base import divide_axes, multiply_axes
from .heatmap import Grid, Heatmap
from .refine import quarter_inside


@CODECS.register_module()
class HRNetInteger(Heatmap):
    """Peaks on integer cells, landmarks in integer pixels (https://arxiv.org/abs/1908.07919).

    `encode` truncates the cell, x / stride, towards zero. `decode` returns the middle of the highest cell, moved by a
    quarter. `to_photo` truncates the landmark towards zero and adds 1. On average, a perfect network is therefore off
    by half a pixel of the photograph to the right and downwards, whatever the size of the face.
    `rounded=True` follows HRNet's successor, which rounds to the nearest pixel and has no such bias. A mirrored map is
    off by one crop pixel (neither project uses flip test). A point whose peak does not reach the map has weight 0;
    HRNet trains on an empty map for it, and for each point above the photograph, which here has its peak.
    """

    def __init__(self, sigma: float = 1.5, rounded: bool = False) -> None:
        super().__init__(
            sigma, centre='cell', aligned=False, shift=False, radius=math.ceil(3 * sigma) if rounded else 3 * sigma
        )
        self.rounded, self.tolerance, self.flip_bias = rounded, 2.01, 1.0

    def cells(self, points: Tensor, grid: Grid, size: int) -> Tensor:
        cells = divide_axes(points.float(), [size / side for side in grid])
        return torch.round(cells - 0.5) if self.rounded else torch.trunc(cells)

    def nearest(self, cell: Tensor) -> Tensor:
        return cell

    def pixels(self, cells: Tensor, grid: Grid, size: int) -> Tensor:
        return multiply_axes(cells + 0.5, [size / side for side in grid])

    def offset(self, maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return quarter_inside(maps, x, y)

    def to_photo(self, points: Tensor, warp: Tensor) -> Tensor:
        """Map crop pixels to integer pixels of the photograph (B, K, 2)."""
        landmarks = super().to_photo(points, warp)
        return torch.round(landmarks) if self.rounded else torch.trunc(landmarks) + 1
