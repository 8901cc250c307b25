"""Three maps a point: a disc around it, and the offsets of each cell from it along x and y."""

import torch
from torch import Tensor

from ..errors import FacelmkError
from ..registry import CODECS
from .blur import blurred_by_reflection
from .peaks import highest_cells, values_at
from .udp import UDP

MIN_RADIUS_CELLS = 0.5**0.5 + 1e-6  # a smaller disc may lie between the cells


@CODECS.register_module()
class UDPCombined(UDP):
    """Maps (B, 3K, H, W) on UDP's grid: disc, x and y of the first point, then of the second, and so on.

    The disc is 1 within `radius_factor` * max(W, H) cells of the point. The offsets point from a cell to the point, in
    radii, and have weight 0 outside of the disc. So 1.5 * HeatmapMSELoss is MMPose's CombinedTargetMSELoss. `decode`
    takes the highest cell of the disc's map, blurred by 2 * `kernel` + 1 cells, and adds the offset there. The score is
    the height of that cell: about 0.35 for a perfect map (https://arxiv.org/abs/1911.07524). A point whose disc
    lies beside the grid has weight 0, where MMPose trains on an empty map.
    """

    ranges = {'radius_factor': (0, 1, True), 'kernel': (0, 100)}
    margin = 1.0
    has_spread = False

    def __init__(self, radius_factor: float = 0.0546875, kernel: int = 11) -> None:
        super().__init__(kernel=kernel)
        self.radius_factor, self.tolerance = radius_factor, 1e-3

    def channels(self, K: int, size: int | None = None) -> int:
        return 3 * K

    def radius_in_cells(self, H: int, W: int) -> float:
        """The radius of the disc on maps of this size."""
        radius = self.radius_factor * max(W, H)
        if radius < MIN_RADIUS_CELLS:
            raise FacelmkError(
                f'UDPCombined: radius_factor={self.radius_factor} is a disc of {radius:.2f} cells on maps of '
                f'{W} x {H}, which may hold no cell. Expected at least {MIN_RADIUS_CELLS / max(W, H):.4f}. Set '
                'model.codec.radius_factor, or use a larger crop'
            )
        return radius

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        H, W = like.shape[-2:]
        radius, cells = self.radius_in_cells(H, W), self.cells(points, (W, H), size)
        x, y = (
            (cells[..., axis, None] - torch.arange(length, device=cells.device)) / radius
            for axis, length in enumerate((W, H))
        )
        disc = (x**2)[..., None, :] + (y**2)[..., :, None] <= 1
        on_grid, is_visible = disc.flatten(-2).any(-1), visible > 0.5
        weight = torch.where(on_grid | ~is_visible, visible.float(), torch.zeros_like(visible, dtype=torch.float)).to(
            like
        )
        counts = (on_grid & is_visible)[..., None]
        target, weights = (like.new_empty(*disc.shape[:2], 3, H, W) for _ in range(2))
        target[:, :, 0] = disc & counts[..., None]
        target[:, :, 1] = (x * counts).to(like)[..., None, :]
        target[:, :, 2] = (y * counts).to(like)[..., :, None]
        weights[:, :, 0] = weight[..., None, None]
        weights[:, :, 1:] = (target[:, :, 0] * weight[..., None, None])[:, :, None]
        return target.flatten(1, 2), weights.flatten(1, 2)

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        H, W = output.shape[-2:]
        disc, *offsets = output.float().unflatten(1, (-1, 3)).unbind(2)
        scores, x, y = highest_cells(blurred_by_reflection(disc, 2 * self.kernel + 1))
        offset = torch.cat([values_at(plane, x[..., None], y[..., None]) for plane in offsets], -1)
        cells = torch.stack((x, y), -1) + offset * self.radius_in_cells(H, W)
        cells = torch.where((scores > 0)[..., None], cells, torch.full_like(cells, -1.0))
        return self.pixels(cells, (W, H), size), scores.float()

    def spread(self, output: Tensor, size: int) -> None:
        """None: the disc is equally wide for each point."""

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        disc, x, y = output.unflatten(1, (-1, 3)).flip(-1)[:, mirror].unbind(2)
        return torch.stack((disc, -x, y), 2).flatten(1, 2)
