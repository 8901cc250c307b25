"""Heatmaps: one map a point, with a Gaussian peak at the point.

Aligned grid (default): cell = (x + 0.5) / stride - 0.5, so that a mirrored map is the map of the mirrored point.
MMPose's grid (aligned=False): cell = x / stride. There, shifting the mirrored map by one cell removes most of the bias.
"""

import torch
from torch import Tensor

from ..errors import UnknownName, did_you_mean
from ..registry import CODECS, Range
from .base import Codec, divide_axes, gaussian, multiply_axes
from .memory import outer_product
from .moments import heatmap_covariance
from .peaks import highest_cells
from .refine import dark, quarter

Grid = tuple[int, int]  # width and height of a map in cells

_TOLERANCE_PX = {'quarter': 1.0, 'dark': 0.1, None: 2.0}  # of a perfect map at stride 4, by `refine`


@CODECS.register_module()
class Heatmap(Codec):
    """Gaussian maps (B, K, H, W) of `sigma` cells (https://arxiv.org/abs/1804.06208).

    `centre='exact'` puts the peak on the point, 'cell' on the nearest cell. The Gaussian is cut off beyond `radius`
    cells along each axis; by default at three sigma with centre='cell', and nowhere with 'exact'.
    `refine` moves the decoded maximum: 'quarter' by a quarter of a cell towards the higher neighbour, 'dark' to the
    maximum of a parabola in the logarithm of the map, blurred by `kernel` cells (https://arxiv.org/abs/1910.06278).
    MMPose's MSRA heatmap is centre='cell', refine='quarter', its unbiased form centre='exact', refine='dark', both
    with aligned=False. `shift` moves a mirrored map by one cell; by default it does so on MMPose's grid only.
    """

    margin = 32.0
    has_spread = True
    kind = 'heatmaps'
    ranges = {
        'sigma': (0.5, 20),
        'refine': {'quarter', 'dark', None},
        'centre': {'exact', 'cell'},
        'kernel': Range(3, 63, step=2),
        'radius': (1, 64),
    }

    def __init__(
        self,
        sigma: float = 2.0,
        refine: str | None = 'quarter',
        centre: str = 'exact',
        kernel: int = 11,
        aligned: bool = True,
        shift: bool | None = None,
        radius: float | None = None,
    ) -> None:
        if refine not in _TOLERANCE_PX:
            raise UnknownName(f'Heatmap: refine={refine!r}. {did_you_mean(str(refine), map(str, _TOLERANCE_PX))}')
        if centre not in ('exact', 'cell'):
            raise UnknownName(f"Heatmap: centre={centre!r}. Expected 'exact' or 'cell'.")
        self.sigma, self.refine, self.centre = sigma, refine, centre
        self.kernel, self.aligned = kernel, aligned
        self.radius = 3 * sigma if radius is None and centre == 'cell' else radius
        self.shift = not aligned if shift is None else shift
        self.tolerance = _TOLERANCE_PX[refine] if centre == 'exact' else 2.01
        self.flip_bias = 0.0 if aligned else 1.0 if self.shift else -3.0

    def cells(self, points: Tensor, grid: Grid, size: int) -> Tensor:
        """Convert crop pixels (B, K, 2) to cells of the grid."""
        offset = 0.5 if self.aligned else 0.0
        return divide_axes(points.float() + offset, [size / side for side in grid]) - offset

    def pixels(self, cells: Tensor, grid: Grid, size: int) -> Tensor:
        """Convert cells of the grid (B, K, 2) to crop pixels."""
        offset = 0.5 if self.aligned else 0.0
        return multiply_axes(cells + offset, [size / side for side in grid]) - offset

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        H, W = like.shape[-2:]
        cells = self.cells(points, (W, H), size)
        (x, x_on_grid), (y, y_on_grid) = self.gaussian_1d(cells[..., 0], W), self.gaussian_1d(cells[..., 1], H)
        on_grid, is_visible = x_on_grid & y_on_grid, visible > 0.5
        maps = outer_product(y, x * (on_grid & is_visible)[..., None], like)
        weight = torch.where(on_grid | ~is_visible, visible.float(), 0.0)
        return maps, weight.to(like)[..., None, None]

    def gaussian_1d(self, cell: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """The Gaussian along one axis (B, K, length) around cells (B, K), and whether it overlaps the grid (B, K)."""
        if self.radius is not None:
            return self._truncated_gaussian(cell, length, self.radius)
        grid = torch.arange(length, device=cell.device, dtype=torch.float)
        reach = 3 * self.sigma
        return gaussian(grid - cell[..., None], self.sigma), (cell - reach < length) & (cell + reach + 1 >= 0)

    def nearest(self, cell: Tensor) -> Tensor:
        """The cell in the middle of the Gaussian, rounded as in MMPose: halves up, negative numbers towards 0."""
        return torch.trunc(cell + 0.5)

    def _truncated_gaussian(self, cell: Tensor, length: int, radius: float) -> tuple[Tensor, Tensor]:
        """The Gaussian, cut off `radius` cells from the nearest cell.

        The window's bounds are truncated towards zero, as in MMPose. With a fractional radius (sigma 1.5) a window that
        starts left of the grid is therefore shifted one cell to the right.
        """
        grid = torch.arange(length, device=cell.device, dtype=torch.float)
        middle = self.nearest(cell)
        first, last = torch.trunc(middle - radius), torch.trunc(middle + radius + 1)
        index = grid - first[..., None]  # within the window
        in_window = (index >= 0) & (index < (last - first).clamp(max=2 * radius + 1)[..., None])
        peak = (cell - middle if self.centre == 'exact' else torch.zeros_like(cell)) + (2 * radius + 1) // 2
        heights = gaussian(index.sub_(peak[..., None]), self.sigma) * in_window
        return heights, (first < length) & (last >= 0)

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        output = output.float()
        H, W = output.shape[-2:]
        scores, x, y = highest_cells(output)
        cells = torch.stack((x, y), -1) + self.offset(output, x, y)
        cells = torch.where((scores > 0)[..., None], cells, torch.full_like(cells, -1.0))
        return self.pixels(cells, (W, H), size), scores

    def offset(self, maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """The offset (B, K, 2) in cells of each point from the middle of its map's highest cell (x, y)."""
        if self.refine == 'quarter':
            return quarter(maps, x, y)
        return dark(maps, x, y, self.kernel) if self.refine == 'dark' else maps.new_zeros(*x.shape, 2)

    def spread(self, output: Tensor, size: int) -> Tensor | None:
        H, W = output.shape[-2:]
        ends = self.pixels(torch.arange(2.0, device=output.device)[:, None].expand(2, 2), (W, H), size)
        stride = ends[1] - ends[0]
        return heatmap_covariance(output.float()) * stride * stride[:, None]

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        flipped = output.flip(-1)[:, mirror]
        return torch.cat((flipped[..., :1], flipped[..., :-1]), -1) if self.shift else flipped
