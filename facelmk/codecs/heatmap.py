"""One map a point, a bump where the point is.

Aligned grid (default): cell = (x + 0.5) / stride - 0.5, so that a mirrored map is the map of the mirrored point.
MMPose's grid (aligned=False): cell = x / stride, with the mirrored map moved by one cell to make up for most of it.
"""

import torch
from torch import Tensor

from ..errors import UnknownName, did_you_mean
from ..registry import CODECS
from .base import Codec, gaussian
from .refine import dark, quarter

Grid = tuple[int, int]  # width and height of a map in cells

_REFINE = {'quarter': 1.0, 'dark': 0.1, None: 2.0}  # how far off a perfect map decodes, in pixels at stride 4


@CODECS.register_module()
class Heatmap(Codec):
    """Gaussian maps (B, K, H, W) of `sigma` cells (https://arxiv.org/abs/1804.06208).

    `centre='exact'` puts the bump where the point is, 'cell' on the nearest cell. Bumps on cells are cut at `radius`
    cells along each side, three sigma if it is left out; exact ones only where a radius is given.
    `refine` moves the decoded maximum: 'quarter' of a cell towards the higher neighbour, 'dark' to the top of a
    parabola in the logarithm of the blurred map (https://arxiv.org/abs/1910.06278, `kernel` cells wide).
    MMPose's MSRA heatmap is centre='cell', refine='quarter', its unbiased form centre='exact', refine='dark', both
    with aligned=False. `shift` moves a mirrored map by one cell; left out, it does so where the grid is not aligned.
    """

    margin = 32.0

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
        if refine not in _REFINE:
            raise UnknownName(f'Heatmap: refine={refine!r}. {did_you_mean(str(refine), map(str, _REFINE))}')
        if centre not in ('exact', 'cell'):
            raise UnknownName(f"Heatmap: centre={centre!r}; it is 'exact' or 'cell'")
        self.sigma, self.refine, self.centre = sigma, refine, centre
        self.kernel, self.aligned = kernel, aligned
        self.radius = 3 * sigma if radius is None and centre == 'cell' else radius
        self.shift = not aligned if shift is None else shift
        self.tolerance = _REFINE[refine] if centre == 'exact' else 2.01
        self.flip_bias = 0.0 if aligned else 1.0 if self.shift else -3.0

    def cells(self, points: Tensor, grid: Grid, size: int) -> Tensor:
        """Crop pixels (B, K, 2) as numbers of cells."""
        offset = 0.5 if self.aligned else 0.0
        return (points.float() + offset) / points.new_tensor([size / side for side in grid]) - offset

    def pixels(self, cells: Tensor, grid: Grid, size: int) -> Tensor:
        """Numbers of cells (B, K, 2) as crop pixels."""
        offset = 0.5 if self.aligned else 0.0
        return (cells + offset) * cells.new_tensor([size / side for side in grid]) - offset

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        H, W = like.shape[-2:]
        cells = self.cells(points, (W, H), size)
        (across, in_x), (down, in_y) = self.gaussian_1d(cells[..., 0], W), self.gaussian_1d(cells[..., 1], H)
        near_grid, seen = in_x & in_y, visible > 0.5
        maps = down[..., :, None] * (across * (near_grid & seen)[..., None])[..., None, :]
        weight = torch.where(near_grid | ~seen, visible.float(), torch.zeros_like(visible, dtype=torch.float))
        return maps.to(like), weight.to(like)[..., None, None]

    def gaussian_1d(self, cell: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """The bump along one side (B, K, length) for numbers of cells (B, K), and whether it reaches the grid."""
        if self.radius is not None:
            return self._cut(cell, length, self.radius)
        grid = torch.arange(length, device=cell.device, dtype=torch.float)
        reach = 3 * self.sigma
        return gaussian(grid - cell[..., None], self.sigma), (cell - reach < length) & (cell + reach + 1 >= 0)

    def nearest(self, cell: Tensor) -> Tensor:
        """The whole cell around which a bump is cut; as MMPose has it, halves go up and numbers below 0 towards it."""
        return torch.trunc(cell + 0.5)

    def _cut(self, cell: Tensor, length: int, radius: float) -> tuple[Tensor, Tensor]:
        """The bump, cut `radius` cells from the nearest one.

        Numbers are cut towards zero, as MMPose does: with a fractional radius (sigma 1.5) a bump whose window begins
        left of the grid lies one cell further to the right.
        """
        grid = torch.arange(length, device=cell.device, dtype=torch.float)
        middle = self.nearest(cell)
        first, last = torch.trunc(middle - radius), torch.trunc(middle + radius + 1)
        place = grid - first[..., None]
        on = (place >= 0) & (place < 2 * radius + 1) & (grid < last[..., None])
        peak = (cell - middle if self.centre == 'exact' else torch.zeros_like(cell)) + (2 * radius + 1) // 2
        return gaussian(place - peak[..., None], self.sigma) * on, (first < length) & (last >= 0)

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        output = output.float()
        H, W = output.shape[-2:]
        scores, place = output.flatten(-2).max(-1)
        x, y = place % W, torch.div(place, W, rounding_mode='floor')
        cells = torch.stack((x, y), -1) + self.refined(output, x, y)
        cells = torch.where((scores > 0)[..., None], cells, torch.full_like(cells, -1.0))
        return self.pixels(cells, (W, H), size), scores

    def refined(self, maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """How far (B, K, 2) a point lies from the middle of its map's highest cell (x, y)."""
        if self.refine == 'quarter':
            return quarter(maps, x, y)
        return dark(maps, x, y, self.kernel) if self.refine == 'dark' else maps.new_zeros(*x.shape, 2)

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        flipped = output.flip(-1)[:, mirror]
        return torch.cat((flipped[..., :1], flipped[..., :-1]), -1) if self.shift else flipped
