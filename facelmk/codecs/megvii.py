"""Megvii's heatmaps of height 255, whose peak is one blurred cell, as in MSPN and CPN."""

import torch
from torch import Tensor

from ..registry import CODECS
from .base import divide_axes, multiply_axes
from .blur import blur_kernel_1d, blurred
from .constants import constant
from .heatmap import Grid, Heatmap
from .peaks import highest_cells
from .refine import towards_higher


@CODECS.register_module()
class Megvii(Heatmap):
    """One cell, blurred by OpenCV's Gaussian of `kernel` cells, 255 high (https://arxiv.org/abs/1901.00148).

    The target has its peak on the cell that contains the point. Decoding blurs the output, moves its maximum by a
    quarter of a cell, and returns the middle of that cell; scores are height / 255 + 0.5. With aligned=False, cells
    start at multiples of the stride, as in MMPose. A mirrored map is then off by one pixel.
    """

    kind = 'heatmaps of height 255'

    def __init__(self, kernel: int = 15, aligned: bool = True) -> None:
        super().__init__(kernel=kernel, aligned=aligned, shift=False)
        self.tolerance, self.flip_bias = 2.01, 0.0 if aligned else 1.0
        self.margin = 2.0 * (kernel + 3)

    def cells(self, points: Tensor, grid: Grid, size: int) -> Tensor:
        offset = 0.5 if self.aligned else 0.0
        return torch.trunc(divide_axes(points.float() + offset, [size / side for side in grid]))

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        maps, weight = super().encode(points, visible, like, size)
        return maps.mul_(255), weight

    def gaussian_1d(self, cell: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """A blurred cell of height 1. At the border OpenCV mirrors the grid about its outermost cell."""
        kernel, grid = constant(blur_kernel_1d, self.kernel, like=cell), torch.arange(length, device=cell.device)
        rows = torch.zeros(*cell.shape, length, device=cell.device)
        reflections = ((cell, cell == cell), (-cell, cell > 0), (2 * (length - 1) - cell, cell < length - 1))
        for centre, exists in reflections:
            index = grid - centre[..., None] + self.kernel // 2
            in_kernel = (index >= 0) & (index < self.kernel) & exists[..., None]
            rows += kernel[index.clamp(0, self.kernel - 1).long()] * in_kernel
        inside = (cell >= 0) & (cell < length)
        height = rows.gather(-1, cell.clamp(0, length - 1).long()[..., None])
        return rows / torch.where(inside[..., None], height, torch.ones_like(height)), inside

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        H, W = output.shape[-2:]
        maps = blurred(output.float(), self.kernel)
        scores, x, y = highest_cells(maps)
        inner = (x > 1) & (x < W - 1) & (y > 1) & (y < H - 1)
        rounding = 1e-9 * scores[..., None]  # by which the blur may separate equal neighbours
        cells = torch.stack((x, y), -1) + (towards_higher(maps, x, y, threshold=rounding) + 0.5) * inner[..., None]
        cells = torch.where((scores > 0)[..., None], cells, torch.full_like(cells, -1.0)).float()
        return multiply_axes(cells, (size / W, size / H)) - (0.5 if self.aligned else 0.0), scores.float() / 255 + 0.5
