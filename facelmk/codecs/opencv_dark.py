"""DARK with the rounding of OpenCV and NumPy, for maps without a clear maximum.

Where the parabola is nearly flat, or cells reach the clamp, the last bit of the blur changes the result by hundredths
of a cell. Only the arithmetic behind the published figures reproduces them there: a blur in single precision, and the
parabola partly in double precision, as NumPy 1 has it for single numbers.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

MAPS_AT_ONCE = 64  # so many maps stay in the cache while they are blurred


def dark_by_opencv(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """The offsets (N, 2) of `dark` for maps (N, H, W) whose highest cells are two cells inside of the grid, or more."""
    log = _logarithms(maps, x, y, kernel, radius=2, lowest=1e-10, highest=np.inf)
    right, left, below, above = log[:, 2, 3], log[:, 2, 1], log[:, 3, 2], log[:, 1, 2]
    middle = 2 * log[:, 2, 2].astype(np.float64)
    dxx, dyy = 0.25 * (log[:, 2, 4] - middle + log[:, 2, 0]), 0.25 * (log[:, 4, 2] - middle + log[:, 0, 2])
    dxy = 0.25 * (log[:, 3, 3] - log[:, 1, 3] - log[:, 3, 1] + log[:, 1, 1])
    return _offsets(0.5 * (right - left), 0.5 * (below - above), dxx, dyy, dxy)


def dark_udp_by_opencv(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """The offsets (N, 2) of `dark_udp` for maps (N, H, W)."""
    log = _logarithms(maps, x, y, kernel, radius=1, lowest=1e-3, highest=50.0)
    right, left, below, above, middle = log[:, 1, 2], log[:, 1, 0], log[:, 2, 1], log[:, 0, 1], log[:, 1, 1]
    dxx, dyy = (
        second.astype(np.float64) + np.finfo(np.float32).eps
        for second in (right - 2 * middle + left, below - 2 * middle + above)
    )
    dxy = 0.5 * (log[:, 2, 2] - right - below + middle + middle - left - above + log[:, 0, 0])
    return _offsets(0.5 * (right - left), 0.5 * (below - above), dxx, dyy, dxy)


def _offsets(dx: NDArray, dy: NDArray, dxx: NDArray, dyy: NDArray, dxy: NDArray) -> Tensor:
    """Minus the inverse of the Hessian, times the gradient; 0 where it has no inverse."""
    dx, dy, dxx, dyy, dxy = (part.astype(np.float64) for part in (dx, dy, dxx, dyy, dxy))
    det = dxx * dyy - dxy**2
    divisor = np.where(det == 0, np.inf, det)
    return torch.from_numpy(np.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1) / divisor[:, None])


def _logarithms(maps: Tensor, x: Tensor, y: Tensor, kernel: int, radius: int, lowest: float, highest: float) -> Floats:
    """The logarithm of the windows (N, 2 radius + 1, 2 radius + 1) of the blurred maps; the edge is repeated beyond."""
    (N, H, W), step = maps.shape, np.arange(-radius, radius + 1)
    rows, columns = ((middle.numpy()[:, None] + step).clip(0, length - 1) for middle, length in ((y, H), (x, W)))
    cells = np.empty((N, len(step), len(step)), np.float32)
    for start in range(0, N, MAPS_AT_ONCE):
        part = slice(start, start + MAPS_AT_ONCE)
        blur = _blur(maps[part].float().numpy(), kernel)
        cells[part] = blur[np.arange(len(blur))[:, None, None], rows[part, :, None], columns[part, None, :]]
    return np.log(np.clip(cells, np.float32(lowest), np.float32(highest)))


def _blur(maps: Floats, kernel: int) -> Floats:
    """Blur maps (N, H, W) with zeros around them, and scale them back to their maxima.

    The maps lie below one another in one image, with rows of zeros between them.
    """
    N, H, W = maps.shape
    image = np.zeros((N, H + kernel // 2, W), np.float32)
    image[:, :H] = maps
    blur = cv2.GaussianBlur(image.reshape(-1, W), (kernel, kernel), 0, borderType=cv2.BORDER_CONSTANT)
    blur = blur.reshape(image.shape)[:, :H]
    with np.errstate(divide='ignore', invalid='ignore'):
        return blur * (maps.max((1, 2)) / blur.max((1, 2)))[:, None, None]
