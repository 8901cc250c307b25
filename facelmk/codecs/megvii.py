"""Maps of height 255 whose bump is a blurred cell: what MSPN and CPN speak."""

import torch
from torch import Tensor

from ..registry import CODECS
from .heatmap import Grid, Heatmap
from .refine import blur_kernel_1d, blurred, towards_higher


@CODECS.register_module()
class Megvii(Heatmap):
    """A cell's bump as OpenCV blurs it by `kernel` cells, 255 high (https://arxiv.org/abs/1901.00148).

    The cell is the one that the point lies in, and the maximum of the blurred map, a quarter moved, stands for the
    cell's middle; scores are height / 255 + 0.5. With aligned=False cells begin at whole strides, as in MMPose: a
    mirrored map is then a pixel off.
    """

    def __init__(self, kernel: int = 15, aligned: bool = True) -> None:
        super().__init__(kernel=kernel, aligned=aligned, shift=False)
        self.tolerance, self.flip_bias = 2.01, 0.0 if aligned else 1.0
        self.margin = 2.0 * (kernel + 3)

    def cells(self, points: Tensor, grid: Grid, size: int) -> Tensor:
        stride = points.new_tensor([size / side for side in grid])
        return torch.trunc((points.float() + (0.5 if self.aligned else 0.0)) / stride)

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        maps, weight = super().encode(points, visible, like, size)
        return maps * 255, weight

    def gaussian_1d(self, cell: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """A blurred cell, 1 high: at the grid's ends the blur sees the grid mirrored about its last cell."""
        bell, grid = blur_kernel_1d(self.kernel).to(cell), torch.arange(length, device=cell.device)
        rows = torch.zeros(*cell.shape, length, device=cell.device)
        for middle, real in ((cell, cell == cell), (-cell, cell > 0), (2 * (length - 1) - cell, cell < length - 1)):
            place = grid - middle[..., None] + self.kernel // 2
            on = (place >= 0) & (place < self.kernel) & real[..., None]
            rows += bell[place.clamp(0, self.kernel - 1).long()] * on
        inside = (cell >= 0) & (cell < length)
        height = rows.gather(-1, cell.clamp(0, length - 1).long()[..., None])
        return rows / torch.where(inside[..., None], height, torch.ones_like(height)), inside

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        H, W = output.shape[-2:]
        maps = blurred(output.float(), self.kernel)
        scores, place = maps.flatten(-2).max(-1)
        x, y = place % W, torch.div(place, W, rounding_mode='floor')
        inner = (x > 1) & (x < W - 1) & (y > 1) & (y < H - 1)
        error = 1e-9 * scores[..., None]  # of the blur's rounding, between equal neighbours of a symmetric bump
        cells = torch.stack((x, y), -1) + (towards_higher(maps, x, y, least=error) + 0.5) * inner[..., None]
        cells = torch.where((scores > 0)[..., None], cells, torch.full_like(cells, -1.0)).float()
        stride = cells.new_tensor([size / W, size / H])
        return cells * stride - (0.5 if self.aligned else 0.0), scores.float() / 255 + 0.5
