"""From the highest cell of a map to a place between cells."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .base import gaussian


def windows(maps: Tensor, x: Tensor, y: Tensor, radius: int) -> Tensor:
    """The cells around (x, y) of each map, (B, K, 2 radius + 1, 2 radius + 1); zeros off the grid."""
    B, K, H, W = maps.shape
    side = 2 * radius + 1
    padded = F.pad(maps, (radius,) * 4)
    step = torch.arange(side, device=maps.device)
    place = (y[..., None, None] + step[:, None]) * (W + 2 * radius) + x[..., None, None] + step
    return padded.flatten(-2).gather(-1, place.reshape(B, K, -1)).reshape(B, K, side, side)


def quarter(maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """A quarter of a cell towards the higher neighbour, (B, K, 2); none at the edge of the grid, as MMPose has it."""
    H, W = maps.shape[-2:]
    right, down = (x > 1) & (x < W - 1) & (y > 0), (y > 1) & (y < H - 1) & (x > 0)
    return towards_higher(maps, x, y) * torch.stack((right, down), -1)


def towards_higher(maps: Tensor, x: Tensor, y: Tensor, least: Tensor | float = 0.0) -> Tensor:
    """A quarter of a cell towards the higher neighbour, (B, K, 2), if it is higher by more than `least`."""
    around = windows(maps, x, y, 1)
    dx, dy = around[..., 1, 2] - around[..., 1, 0], around[..., 2, 1] - around[..., 0, 1]
    apart = torch.stack((dx, dy), -1)
    return apart.sign() * (apart.abs() > least) * 0.25


def dark(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """From the highest cell to the top of a parabola in the logarithm of the blurred map, (B, K, 2).

    Only the 5 x 5 blurred cells around the maximum are made, from the cells that reach them.
    """
    H, W = maps.shape[-2:]
    blur = blur_rows(kernel).to(maps)
    blurred = blur @ windows(maps, x, y, kernel // 2 + 2) @ blur.T
    log = blurred.clamp(min=1e-10).log()
    dx, dy = 0.5 * (log[..., 2, 3] - log[..., 2, 1]), 0.5 * (log[..., 3, 2] - log[..., 1, 2])
    dxx = 0.25 * (log[..., 2, 4] - 2 * log[..., 2, 2] + log[..., 2, 0])
    dyy = 0.25 * (log[..., 4, 2] - 2 * log[..., 2, 2] + log[..., 0, 2])
    dxy = 0.25 * (log[..., 3, 3] - log[..., 1, 3] - log[..., 3, 1] + log[..., 1, 1])
    det = dxx * dyy - dxy**2
    good = (x > 1) & (x < W - 2) & (y > 1) & (y < H - 2)
    safe = torch.where(det != 0, det, torch.ones_like(det))
    moved = torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1) / safe[..., None] * good[..., None]
    flat = (det.abs() < 0.01 * (dxx.abs() + dyy.abs() + dxy.abs())) | (blurred.flatten(-2).amin(-1) < 1e-6)
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
    for i, (cells, x0, y0) in enumerate(zip(maps.float().cpu().numpy(), x.tolist(), y.tolist(), strict=True)):
        log = np.log(np.maximum(_blurred_by_opencv(cells, kernel), np.float32(1e-10)))
        near = log[y0 - 2 : y0 + 3, x0 - 2 : x0 + 3]
        slope = np.array([[0.5 * (near[2, 3] - near[2, 1])], [0.5 * (near[3, 2] - near[1, 2])]], np.float32)
        dxx, dyy = (0.25 * (a - 2 * near[2, 2] + b) for a, b in ((near[2, 4], near[2, 0]), (near[4, 2], near[0, 2])))
        dxy = 0.25 * (near[3, 3] - near[1, 3] - near[3, 1] + near[1, 1])
        if dxx * dyy - dxy**2 != 0:
            offsets[i] = -(np.linalg.inv(np.array([[dxx, dxy], [dxy, dyy]], np.float32)) @ slope)[:, 0]
    return torch.from_numpy(offsets)


def blur_rows(kernel: int) -> Tensor:
    """(5, kernel + 4): what each of five neighbouring blurred cells takes of the cells that reach them.

    The width of the bell is OpenCV's for a kernel of this size.
    """
    bell = blur_kernel_1d(kernel)
    rows = torch.zeros(5, kernel + 4, dtype=torch.float64)
    for i in range(5):
        rows[i, i : i + kernel] = bell
    return rows


def blur_kernel_1d(kernel: int) -> Tensor:
    """(kernel,): the bell curve of area 1 with which OpenCV blurs by a kernel of this size."""
    sigma = 0.3 * ((kernel - 1) * 0.5 - 1) + 0.8
    bell = gaussian(torch.arange(kernel, dtype=torch.float64) - kernel // 2, sigma)
    return bell / bell.sum()


def blurred(maps: Tensor, kernel: int) -> Tensor:
    """Whole maps, blurred, zeros off the grid, and then as high as they were.

    In double precision, so that equal neighbours of a symmetric bump stay equal but for a billionth.
    """
    maps = maps.double()
    down, across = (_blur_matrix(length, kernel).to(maps.device) for length in maps.shape[-2:])
    blur = down @ maps @ across
    return blur * (maps.amax((-2, -1)) / blur.amax((-2, -1)))[..., None, None]


def _blur_matrix(length: int, kernel: int) -> Tensor:
    """(length, length): what each blurred cell takes of each cell."""
    place = torch.arange(length)[:, None] - torch.arange(length) + kernel // 2
    on = (place >= 0) & (place < kernel)
    return blur_kernel_1d(kernel)[place.clamp(0, kernel - 1)] * on


def dark_udp(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """The same with differences of neighbouring cells and at the edge too: (B, K, 2) (https://arxiv.org/abs/1911.07524).

    The logarithm is that of heights from 0.001 to 50; beyond the edge the outermost cells go on.
    """
    log = F.pad(blurred(maps, kernel).clamp(1e-3, 50.0).log(), (1,) * 4, mode='replicate')
    around = windows(log, x + 1, y + 1, 1)
    middle, right, below = around[..., 1, 1], around[..., 1, 2], around[..., 2, 1]
    left, above = around[..., 1, 0], around[..., 0, 1]
    dx, dy = 0.5 * (right - left), 0.5 * (below - above)
    dxx, dyy = right - 2 * middle + left, below - 2 * middle + above
    dxy = 0.5 * (around[..., 2, 2] - right - below + 2 * middle - left - above + around[..., 0, 0])
    dxx, dyy = (curve + torch.finfo(torch.float).eps for curve in (dxx, dyy))
    det = dxx * dyy - dxy**2
    moved = (torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1) / det[..., None]).to(maps)
    flat = det.abs() < 0.01 * (dxx.abs() + dyy.abs() + dxy.abs())
    if flat.any():
        moved[flat] = _settle_udp(maps[flat], x[flat], y[flat], kernel).to(moved)
    return moved


def _settle_udp(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """The same for maps (N, H, W) without a clear top, by OpenCV's and NumPy's own rounding: (N, 2)."""
    offsets = np.zeros((len(maps), 2), np.float32)
    for i, (cells, x0, y0) in enumerate(zip(maps.float().cpu().numpy(), x.tolist(), y.tolist(), strict=True)):
        blur = _blurred_by_opencv(cells, kernel)
        near = np.pad(np.log(np.clip(blur, np.float32(1e-3), np.float32(50))), 1, 'edge')[y0 : y0 + 3, x0 : x0 + 3]
        (corner, above, _), (left, middle, right), (_, below, other) = near
        dxy = np.float32(0.5) * (other - right - below + middle + middle - left - above + corner)
        curves = np.array([[right - 2 * middle + left, dxy], [dxy, below - 2 * middle + above]])
        slope = np.array([right - left, below - above]) * np.float32(0.5)
        offsets[i] = -np.linalg.inv(curves.astype(np.float64) + np.finfo(np.float32).eps * np.eye(2)) @ slope
    return torch.from_numpy(offsets)


def _blurred_by_opencv(cells: NDArray[np.float32], kernel: int) -> NDArray[np.float32]:
    """A map (H, W), blurred, zeros off the grid, and then as high as it was."""
    border = kernel // 2
    blur = cv2.GaussianBlur(np.pad(cells, border), (kernel, kernel), 0)[border:-border, border:-border]
    return blur * (cells.max() / blur.max())
