"""Heatmaps as MMPose 1.3 makes and decodes them: NumPy, one face at a time, one point at a time.

The steps are those of MMPose's MSRAHeatmap (sigma 2, kernel 11): the same operations in the same precision and order,
so that results and costs are comparable where MMPose is not installed.
"""

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Grid = tuple[int, int]  # width and height of a map in cells


class PlainHeatmap:
    """Encode and decode the points (1, K, 2) of one face, on MMPose's grid: cell = x / stride."""

    def __init__(self, size: int, grid: Grid, sigma: float = 2.0, unbiased: bool = False, kernel: int = 11) -> None:
        self.grid, self.sigma, self.unbiased, self.kernel = grid, sigma, unbiased, kernel
        self.stride = (np.array([size, size]) / np.array(grid)).astype(np.float32)

    def encode(self, points: Array, visible: Array) -> dict[str, Array]:
        """Return maps (K, H, W) and weights (1, K), by MMPose's names."""
        make = gaussians_around_points if self.unbiased else gaussians_around_cells
        maps, weights = make(self.grid, points / self.stride, visible, self.sigma)
        return dict(heatmaps=maps, keypoint_weights=weights)

    def decode(self, maps: Array) -> tuple[Array, Array]:
        """Return points (1, K, 2) in pixels of the crop, and scores (1, K)."""
        maps = maps.copy()
        cells, scores = maxima(maps)
        refine = refine_by_dark if self.unbiased else refine_by_quarter
        cells = refine(cells[None], maps, self.kernel)
        return cells * self.stride, scores[None]


def gaussians_around_cells(grid: Grid, cells: Array, visible: Array, sigma: float) -> tuple[Array, Array]:
    """Gaussians around the nearest cells, cut off at three sigma."""
    (N, K), (W, H) = visible.shape, grid
    maps, weights = np.zeros((K, H, W), np.float32), visible.copy()
    radius = sigma * 3
    x = np.arange(0, 2 * radius + 1, 1, dtype=np.float32)
    y, middle = x[:, None], (2 * radius + 1) // 2
    for n, k in product(range(N), range(K)):
        if visible[n, k] < 0.5:
            continue
        nearest = (cells[n, k] + 0.5).astype(np.int64)
        left, top = (nearest - radius).astype(np.int64)
        right, bottom = (nearest + radius + 1).astype(np.int64)
        if left >= W or top >= H or right < 0 or bottom < 0:
            weights[n, k] = 0
            continue
        gaussian = np.exp(-((x - middle) ** 2 + (y - middle) ** 2) / (2 * sigma**2))
        from_x, to_x = max(0, -left), min(W, right) - left
        from_y, to_y = max(0, -top), min(H, bottom) - top
        region = maps[k, max(0, top) : min(bottom, H), max(0, left) : min(right, W)]
        np.maximum(region, gaussian[from_y:to_y, from_x:to_x], out=region)
    return maps, weights


def gaussians_around_points(grid: Grid, cells: Array, visible: Array, sigma: float) -> tuple[Array, Array]:
    """Whole Gaussians around the exact points."""
    (N, K), (W, H) = visible.shape, grid
    maps, weights = np.zeros((K, H, W), np.float32), visible.copy()
    radius = sigma * 3
    x = np.arange(0, W, 1, dtype=np.float32)
    y = np.arange(0, H, 1, dtype=np.float32)[:, None]
    for n, k in product(range(N), range(K)):
        if visible[n, k] < 0.5:
            continue
        middle = cells[n, k]
        left, top = middle - radius
        right, bottom = middle + radius + 1
        if left >= W or top >= H or right < 0 or bottom < 0:
            weights[n, k] = 0
            continue
        gaussian = np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * sigma**2))
        np.maximum(gaussian, maps[k], out=maps[k])
    return maps, weights


def maxima(maps: Array) -> tuple[Array, Array]:
    """Return the highest cell (K, 2) of each map, x first, or -1 for an empty one, and its height (K,)."""
    K, H, W = maps.shape
    flat = maps.reshape(K, -1)
    y, x = np.unravel_index(np.argmax(flat, axis=1), shape=(H, W))
    cells, heights = np.stack((x, y), -1).astype(np.float32), np.amax(flat, axis=1)
    cells[heights <= 0] = -1
    return cells, heights


def refine_by_quarter(cells: Array, maps: Array, kernel: int) -> Array:
    """Move cells (N, K, 2) by a quarter of a cell towards the higher neighbour."""
    (N, K), (H, W) = cells.shape[:2], maps.shape[1:]
    for n, k in product(range(N), range(K)):
        x, y = cells[n, k].astype(int)
        dx = maps[k, y, x + 1] - maps[k, y, x - 1] if 1 < x < W - 1 and 0 < y < H else 0.0
        dy = maps[k, y + 1, x] - maps[k, y - 1, x] if 1 < y < H - 1 and 0 < x < W else 0.0
        cells[n, k] += np.sign([dx, dy], dtype=np.float32) * 0.25
    return cells


def refine_by_dark(cells: Array, maps: Array, kernel: int) -> Array:
    """Move cells (N, K, 2) to the maximum of a parabola in the logarithm of the blurred map."""
    (N, K), (H, W) = cells.shape[:2], maps.shape[1:]
    maps = blur_each(maps, kernel)
    np.maximum(maps, 1e-10, out=maps)
    np.log(maps, out=maps)
    for n, k in product(range(N), range(K)):
        x, y = cells[n, k].astype(int)
        if 1 < x < W - 2 and 1 < y < H - 2:
            cells[n, k] += parabola_offset(maps[k], x, y)
    return cells


def parabola_offset(log: Array, x: int, y: int) -> Array | float:
    """Return the offset (2,) of the maximum of the parabola around a cell; 0 if the Hessian has no inverse."""
    dx = 0.5 * (log[y, x + 1] - log[y, x - 1])
    dy = 0.5 * (log[y + 1, x] - log[y - 1, x])
    dxx = 0.25 * (log[y, x + 2] - 2 * log[y, x] + log[y, x - 2])
    dxy = 0.25 * (log[y + 1, x + 1] - log[y - 1, x + 1] - log[y + 1, x - 1] + log[y - 1, x - 1])
    dyy = 0.25 * (log[y + 2, x] - 2 * log[y, x] + log[y - 2, x])
    if dxx * dyy - dxy**2 == 0:
        return 0.0
    hessian, gradient = np.array([[dxx, dxy], [dxy, dyy]]), np.array([[dx], [dy]])
    return (-np.linalg.inv(hessian) @ gradient).T[0]


def blur_each(maps: Array, kernel: int) -> Array:
    """Blur each map with OpenCV, zeros around it, and scale it back to its maximum."""
    border = (kernel - 1) // 2
    K, H, W = maps.shape
    for k in range(K):
        highest = np.max(maps[k])
        padded = np.zeros((H + 2 * border, W + 2 * border), np.float32)
        padded[border:-border, border:-border] = maps[k].copy()
        blurred = cv2.GaussianBlur(padded, (kernel, kernel), 0)
        maps[k] = blurred[border:-border, border:-border].copy()
        maps[k] *= highest / np.max(maps[k])
    return maps
