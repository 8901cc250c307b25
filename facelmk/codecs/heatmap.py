"""One map a point, a bump where the point is.

Aligned grid (default): cell = (x + 0.5) / stride - 0.5, so that a mirrored map is the map of the mirrored point.
MMPose's grid (aligned=False): cell = x / stride, with the mirrored map moved by one cell to make up for most of it.
"""
import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..registry import CODECS, UnknownName, near
from .base import Codec, gaussian

_REFINE = {'quarter': 1., 'dark': .1, None: 2.}  # how far off a perfect map decodes, in pixels at stride 4


@CODECS.register_module()
class Heatmap(Codec):
    """Gaussian maps (B, K, H, W) of `sigma` cells (https://arxiv.org/abs/1804.06208).

    `centre='exact'` puts the bump where the point is, 'cell' on the nearest cell and cuts it at three sigma.
    `refine` moves the decoded maximum: 'quarter' of a cell towards the higher neighbour, 'dark' to the top of a
    parabola in the logarithm of the blurred map (https://arxiv.org/abs/1910.06278, `kernel` cells wide).
    MMPose's MSRA heatmap is centre='cell', refine='quarter', its unbiased form centre='exact', refine='dark', both
    with aligned=False. `shift` moves a mirrored map by one cell; left out, it does so where the grid is not aligned.
    """
    margin = 32.

    def __init__(self, sigma: float = 2., refine: str | None = 'quarter', centre: str = 'exact', kernel: int = 11,
                 aligned: bool = True, shift: bool | None = None) -> None:
        if refine not in _REFINE:
            raise UnknownName(f'Heatmap: refine={refine!r}. {near(str(refine), map(str, _REFINE))}')
        if centre not in ('exact', 'cell'):
            raise UnknownName(f"Heatmap: centre={centre!r}; it is 'exact' or 'cell'")
        self.sigma, self.refine, self.centre = sigma, refine, centre
        self.kernel, self.aligned = kernel, aligned
        self.shift = not aligned if shift is None else shift
        self.tolerance = _REFINE[refine] if centre == 'exact' else 2.01
        self.flip_bias = 0. if aligned else 1. if self.shift else -3.

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        H, W = like.shape[-2:]
        offset = .5 if self.aligned else 0.
        cells = (points.float() + offset) / points.new_tensor([size / W, size / H]) - offset
        bell = self._whole if self.centre == 'exact' else self._cut
        (across, in_x), (down, in_y) = bell(cells[..., 0], W), bell(cells[..., 1], H)
        near_grid, seen = in_x & in_y, visible > .5
        maps = down[..., :, None] * across[..., None, :] * (near_grid & seen)[..., None, None]
        weight = torch.where(near_grid | ~seen, visible.float(), torch.zeros_like(visible, dtype=torch.float))
        return maps.to(like), weight.to(like)[..., None, None]

    def _whole(self, cell: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """The bell curve (B, K, length) around a cell number, and whether it reaches the grid."""
        grid = torch.arange(length, device=cell.device, dtype=torch.float)
        reach = 3 * self.sigma
        return gaussian(grid - cell[..., None], self.sigma), (cell - reach < length) & (cell + reach + 1 >= 0)

    def _cut(self, cell: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """The same around the nearest cell and cut off at three sigma.

        Numbers are cut towards zero, as MMPose does: with a fractional radius (sigma 1.5) a bump whose window begins
        left of the grid lies one cell further to the right.
        """
        grid = torch.arange(length, device=cell.device, dtype=torch.float)
        reach = 3 * self.sigma
        middle = torch.trunc(cell + .5)
        first, last = torch.trunc(middle - reach), torch.trunc(middle + reach + 1)
        place = grid - first[..., None]
        on = (place >= 0) & (place < 2 * reach + 1) & (grid < last[..., None])
        return gaussian(place - (2 * reach + 1) // 2, self.sigma) * on, (first < length) & (last >= 0)

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        output = output.float()
        H, W = output.shape[-2:]
        scores, place = output.flatten(-2).max(-1)
        x, y = place % W, torch.div(place, W, rounding_mode='floor')
        cells = torch.stack((x, y), -1).float()
        if self.refine == 'quarter':
            cells = cells + quarter(output, x, y)
        elif self.refine == 'dark':
            cells = cells + dark(output, x, y, self.kernel)
        cells = torch.where((scores > 0)[..., None], cells, torch.full_like(cells, -1.))
        offset = .5 if self.aligned else 0.
        return (cells + offset) * cells.new_tensor([size / W, size / H]) - offset, scores

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        flipped = output.flip(-1)[:, mirror]
        return torch.cat((flipped[..., :1], flipped[..., :-1]), -1) if self.shift else flipped


def windows(maps: Tensor, x: Tensor, y: Tensor, radius: int) -> Tensor:
    """The cells around (x, y) of each map, (B, K, 2 radius + 1, 2 radius + 1); zeros off the grid."""
    B, K, H, W = maps.shape
    side = 2 * radius + 1
    padded = F.pad(maps, (radius,) * 4)
    step = torch.arange(side, device=maps.device)
    place = (y[..., None, None] + step[:, None]) * (W + 2 * radius) + x[..., None, None] + step
    return padded.flatten(-2).gather(-1, place.reshape(B, K, -1)).reshape(B, K, side, side)


def quarter(maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """A quarter of a cell towards the higher neighbour, (B, K, 2); none at the edge of the grid."""
    H, W = maps.shape[-2:]
    around = windows(maps, x, y, 1)
    dx, dy = around[..., 1, 2] - around[..., 1, 0], around[..., 2, 1] - around[..., 0, 1]
    dx = dx.sign() * ((x > 1) & (x < W - 1) & (y > 0))
    dy = dy.sign() * ((y > 1) & (y < H - 1) & (x > 0))
    return torch.stack((dx, dy), -1) * .25


def dark(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """From the highest cell to the top of a parabola in the logarithm of the blurred map, (B, K, 2).

    Only the 5 x 5 blurred cells around the maximum are made, from the cells that reach them.
    """
    H, W = maps.shape[-2:]
    blur = blur_rows(kernel).to(maps)
    blurred = blur @ windows(maps, x, y, kernel // 2 + 2) @ blur.T
    log = blurred.clamp(min=1e-10).log()
    dx, dy = .5 * (log[..., 2, 3] - log[..., 2, 1]), .5 * (log[..., 3, 2] - log[..., 1, 2])
    dxx = .25 * (log[..., 2, 4] - 2 * log[..., 2, 2] + log[..., 2, 0])
    dyy = .25 * (log[..., 4, 2] - 2 * log[..., 2, 2] + log[..., 0, 2])
    dxy = .25 * (log[..., 3, 3] - log[..., 1, 3] - log[..., 3, 1] + log[..., 1, 1])
    det = dxx * dyy - dxy ** 2
    good = (x > 1) & (x < W - 2) & (y > 1) & (y < H - 2)
    safe = torch.where(det != 0, det, torch.ones_like(det))
    moved = torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1) / safe[..., None] * good[..., None]
    flat = (det.abs() < .01 * (dxx.abs() + dyy.abs() + dxy.abs())) | (blurred.flatten(-2).amin(-1) < 1e-6)
    unsure = good & flat
    if unsure.any():
        moved[unsure] = _settle(maps[unsure], x[unsure], y[unsure], kernel).to(moved)
    return moved


def _settle(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """The same for maps (N, H, W) without a clear top, by OpenCV's and NumPy's own rounding: (N, 2).

    Where the parabola is nearly flat, or cells below the cut take part, the last bit of the blur decides over
    hundredths of a cell, so published figures can only be met by the arithmetic that they were made with.
    """
    offsets = np.zeros((len(maps), 2), np.float32)
    border = kernel // 2
    for i, (cells, x0, y0) in enumerate(zip(maps.float().cpu().numpy(), x.tolist(), y.tolist(), strict=True)):
        blurred = cv2.GaussianBlur(np.pad(cells, border), (kernel, kernel), 0)[border:-border, border:-border]
        log = np.log(np.maximum(blurred * (cells.max() / blurred.max()), np.float32(1e-10)))
        near = log[y0 - 2:y0 + 3, x0 - 2:x0 + 3]
        slope = np.array([[.5 * (near[2, 3] - near[2, 1])], [.5 * (near[3, 2] - near[1, 2])]], np.float32)
        dxx, dyy = (.25 * (a - 2 * near[2, 2] + b) for a, b in ((near[2, 4], near[2, 0]), (near[4, 2], near[0, 2])))
        dxy = .25 * (near[3, 3] - near[1, 3] - near[3, 1] + near[1, 1])
        if dxx * dyy - dxy ** 2 != 0:
            offsets[i] = -(np.linalg.inv(np.array([[dxx, dxy], [dxy, dyy]], np.float32)) @ slope)[:, 0]
    return torch.from_numpy(offsets)


def blur_rows(kernel: int) -> Tensor:
    """(5, kernel + 4): what each of five neighbouring blurred cells takes of the cells that reach them.

    The width of the bell is OpenCV's for a kernel of this size.
    """
    sigma = .3 * ((kernel - 1) * .5 - 1) + .8
    bell = gaussian(torch.arange(kernel, dtype=torch.float64) - kernel // 2, sigma)
    rows = torch.zeros(5, kernel + 4, dtype=torch.float64)
    for i in range(5):
        rows[i, i:i + kernel] = bell / bell.sum()
    return rows
