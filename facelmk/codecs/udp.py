"""Maps whose outermost cells lie on the crop's outermost pixels: cell = x * (W - 1) / (size - 1)."""

from torch import Tensor

from ..registry import CODECS
from .base import divide_axes, multiply_axes
from .heatmap import Grid, Heatmap
from .refine import dark_udp


@CODECS.register_module()
class UDP(Heatmap):
    """Gaussians at the exact points, cut off at three sigma, on an unbiased grid (https://arxiv.org/abs/1911.07524).

    A mirrored map is the map of the mirrored point, x' = size - 1 - x, so flip test needs no shift.
    MMPose decodes by size / (W - 1) instead of (size - 1) / (W - 1). Its UDP crops map pixel 0 to 0 and the far side of
    the box to size - 1, but are mapped back as if they were `size` pixels wide. Here the inverse of the crop's own warp
    maps points back, so the codec must invert its own encoding: with MMPose's factor, x = 200 would become 200.78.
    """

    flip_bias = 0.0

    def __init__(self, sigma: float = 2.0, kernel: int = 11) -> None:
        super().__init__(sigma, refine='dark', kernel=kernel, radius=3 * sigma)
        self.tolerance = 0.05

    def cells(self, points: Tensor, grid: Grid, size: int) -> Tensor:
        return divide_axes(points.float(), [(size - 1) / (side - 1) for side in grid])

    def pixels(self, cells: Tensor, grid: Grid, size: int) -> Tensor:
        return multiply_axes(cells, [(size - 1) / (side - 1) for side in grid])

    def offset(self, maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return dark_udp(maps, x, y, self.kernel)
