"""The whole numbers of the original HRNet for faces, for the sake of its published figures alone."""

import math

import torch
from torch import Tensor

from ..registry import CODECS
from .heatmap import Grid, Heatmap
from .refine import towards_higher


@CODECS.register_module()
class HRNetInteger(Heatmap):
    """Bumps on the cell that a point lies in, and landmarks in whole pixels (https://arxiv.org/abs/1908.07919).

    Encoding cuts the place on the map towards zero, x / stride; decoding answers with the middle of the highest cell,
    a quarter moved; the way home cuts the place in the photograph towards zero and adds 1. So a perfect network is off
    by half a pixel of the photograph to the right and downwards on average, whatever the face's size.
    `rounded` is its successor's way, which rounds to the nearest pixel and has no such bias. A mirrored map is a pixel
    of the crop off (neither project ever mirrors a test). Points off the map weigh nothing here; HRNet teaches empty
    maps for them, and for points above the photograph's upper edge.
    """

    def __init__(self, sigma: float = 1.5, rounded: bool = False) -> None:
        super().__init__(
            sigma, centre='cell', aligned=False, shift=False, radius=math.ceil(3 * sigma) if rounded else 3 * sigma
        )
        self.rounded, self.tolerance, self.flip_bias = rounded, 2.01, 1.0

    def cells(self, points: Tensor, grid: Grid, size: int) -> Tensor:
        places = points.float() / points.new_tensor([size / side for side in grid])
        return torch.round(places - 0.5) if self.rounded else torch.trunc(places)

    def nearest(self, cell: Tensor) -> Tensor:
        return cell

    def pixels(self, cells: Tensor, grid: Grid, size: int) -> Tensor:
        return (cells + 0.5) * cells.new_tensor([size / side for side in grid])

    def refined(self, maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
        H, W = maps.shape[-2:]
        inner = (x > 0) & (x < W - 1) & (y > 0) & (y < H - 1)
        return towards_higher(maps, x, y) * inner[..., None]

    def to_photo(self, points: Tensor, warp: Tensor) -> Tensor:
        """Whole pixels of the photograph (B, K, 2)."""
        places = super().to_photo(points, warp)
        return torch.round(places) if self.rounded else torch.trunc(places) + 1
