"""Sub-cell refinement: the offset of a point from the highest cell of its heatmap."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..errors import FacelmkError


def is_traced() -> bool:
    """Whether torch records a graph, which can hold neither OpenCV's arithmetic nor a branch on values."""
    return torch.jit.is_tracing() or torch.compiler.is_compiling()


def windows(maps: Tensor, x: Tensor, y: Tensor, radius: int) -> Tensor:
    """The window around (x, y) of each map, (B, K, 2 radius + 1, 2 radius + 1); zeros outside the grid."""
    B, K, _, W = maps.shape
    side = 2 * radius + 1
    padded = F.pad(maps, (radius,) * 4)
    step = torch.arange(side, device=maps.device)
    index = (y[..., None, None] + step[:, None]) * (W + 2 * radius) + x[..., None, None] + step
    return padded.flatten(-2).gather(-1, index.reshape(B, K, -1)).reshape(B, K, side, side)


def quarter(maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """A quarter of a cell towards the higher neighbour, (B, K, 2); 0 at the border of the grid, as in MMPose."""
    H, W = maps.shape[-2:]
    x_inside, y_inside = (x > 1) & (x < W - 1) & (y > 0), (y > 1) & (y < H - 1) & (x > 0)
    return towards_higher(maps, x, y) * torch.stack((x_inside, y_inside), -1)


def quarter_inside(maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The same, but 0 only in the outermost cells, as in the original HRNet and the official Adaptive Wing."""
    H, W = maps.shape[-2:]
    inside = (x > 0) & (x < W - 1) & (y > 0) & (y < H - 1)
    return towards_higher(maps, x, y) * inside[..., None]


def towards_higher(maps: Tensor, x: Tensor, y: Tensor, threshold: Tensor | float = 0.0) -> Tensor:
    """A quarter of a cell towards the higher neighbour, (B, K, 2), if it is higher by more than `threshold`."""
    window = windows(maps, x, y, 1)
    dx, dy = window[..., 1, 2] - window[..., 1, 0], window[..., 2, 1] - window[..., 0, 1]
    difference = torch.stack((dx, dy), -1)
    return difference.sign() * (difference.abs() > threshold) * 0.25


def dark(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """DARK: the maximum of a parabola in the logarithm of the blurred map, from the highest cell, (B, K, 2).

    Only the 5 x 5 blurred cells around the maximum are computed.
    """
    H, W = maps.shape[-2:]
    blur = blur_matrix_5(kernel).to(maps)
    blurred = blur @ windows(maps, x, y, kernel // 2 + 2) @ blur.T
    log = blurred.clamp(min=1e-10).log()
    dx, dy = 0.5 * (log[..., 2, 3] - log[..., 2, 1]), 0.5 * (log[..., 3, 2] - log[..., 1, 2])
    dxx = 0.25 * (log[..., 2, 4] - 2 * log[..., 2, 2] + log[..., 2, 0])
    dyy = 0.25 * (log[..., 4, 2] - 2 * log[..., 2, 2] + log[..., 0, 2])
    dxy = 0.25 * (log[..., 3, 3] - log[..., 1, 3] - log[..., 3, 1] + log[..., 1, 1])
    det = dxx * dyy - dxy**2
    inside = (x > 1) & (x < W - 2) & (y > 1) & (y < H - 2)
    divisor = torch.where(det != 0, det, torch.ones_like(det))
    offsets = torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1) / divisor[..., None] * inside[..., None]
    flat = (det.abs() < 0.01 * (dxx.abs() + dyy.abs() + dxy.abs())) | (blurred.flatten(-2).amin(-1) < 1e-6)
    ambiguous = inside & flat
    if not is_traced() and ambiguous.any():
        offsets[ambiguous] = _dark_by_opencv(maps[ambiguous], x[ambiguous], y[ambiguous], kernel).to(offsets)
    return offsets


def _dark_by_opencv(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """DARK for maps (N, H, W) without a clear maximum, with the rounding of OpenCV and NumPy: (N, 2).

    Where the parabola is nearly flat, or cells reach the clamp, the last bit of the blur changes the result by
    hundredths of a cell. Only the arithmetic behind the published figures reproduces them there.
    """
    offsets = np.zeros((len(maps), 2), np.float32)
    for i, (cells, x0, y0) in enumerate(zip(maps.float().cpu().numpy(), x.tolist(), y.tolist(), strict=True)):
        log = np.log(np.maximum(_blurred_by_opencv(cells, kernel), np.float32(1e-10)))
        w = log[y0 - 2 : y0 + 3, x0 - 2 : x0 + 3]
        gradient = np.array([[0.5 * (w[2, 3] - w[2, 1])], [0.5 * (w[3, 2] - w[1, 2])]], np.float32)
        dxx, dyy = (0.25 * (a - 2 * w[2, 2] + b) for a, b in ((w[2, 4], w[2, 0]), (w[4, 2], w[0, 2])))
        dxy = 0.25 * (w[3, 3] - w[1, 3] - w[3, 1] + w[1, 1])
        if dxx * dyy - dxy**2 != 0:
            offsets[i] = -(np.linalg.inv(np.array([[dxx, dxy], [dxy, dyy]], np.float32)) @ gradient)[:, 0]
    return torch.from_numpy(offsets)


def blur_matrix_5(kernel: int) -> Tensor:
    """The matrix (5, kernel + 4) that blurs a window of kernel + 4 cells to the five cells in its middle."""
    weights = blur_kernel_1d(kernel)
    rows = torch.zeros(5, kernel + 4, dtype=torch.float64)
    for i in range(5):
        rows[i, i : i + kernel] = weights
    return rows


def blur_kernel_1d(kernel: int) -> Tensor:
    """OpenCV's Gaussian blur weights (kernel,) for this kernel size; up to 7 cells they are binary fractions."""
    if kernel < 1 or kernel % 2 == 0:
        raise FacelmkError(f'kernel={kernel}. Expected an odd number of cells, 1 or more.')
    return torch.from_numpy(cv2.getGaussianKernel(kernel, 0)[:, 0])


def blurred(maps: Tensor, kernel: int) -> Tensor:
    """Blur maps with zero padding, and scale them back to their maxima.

    Double precision keeps equal neighbours of a symmetric peak equal up to 1e-9.
    """
    maps = maps.double()
    rows, columns = (_blur_matrix(length, kernel).to(maps.device) for length in maps.shape[-2:])
    blur = rows @ maps @ columns
    return blur * (maps.amax((-2, -1)) / blur.amax((-2, -1)))[..., None, None]


def _blur_matrix(length: int, kernel: int) -> Tensor:
    """The matrix (length, length) that blurs a row of cells."""
    index = torch.arange(length)[:, None] - torch.arange(length) + kernel // 2
    in_kernel = (index >= 0) & (index < kernel)
    return blur_kernel_1d(kernel)[index.clamp(0, kernel - 1)] * in_kernel


def blurred_by_reflection(maps: Tensor, kernel: int) -> Tensor:
    """Blur maps as OpenCV does by default: beyond the border the map is reflected about its outermost cell."""
    rows, columns = (_reflecting_blur_matrix(length, kernel).to(maps) for length in maps.shape[-2:])
    with torch.autocast(maps.device.type, enabled=False):
        return rows @ maps @ columns.T


def _reflecting_blur_matrix(length: int, kernel: int) -> Tensor:
    """The matrix (length, length) that blurs a row of cells with reflected ends."""
    period = max(2 * (length - 1), 1)
    index = (torch.arange(length)[:, None] + torch.arange(kernel) - kernel // 2) % period
    index = torch.minimum(index, period - index) if length > 1 else torch.zeros_like(index)
    weights = blur_kernel_1d(kernel).expand(length, kernel)
    return torch.zeros(length, length, dtype=torch.float64).scatter_add_(1, index, weights)


def dark_rows(rows: Tensor, bins: Tensor, kernel: int) -> Tensor:
    """DARK for rows of bins (..., L): the offset (...) of the maximum from the highest bin, in bins.

    As in MMPose, heights are clamped to 0.001 to 50 before the logarithm, and the outermost bins repeated.
    A row without a clear maximum would move the bin anywhere, so an offset is at most half of the kernel.
    """
    flat, length = rows.double().flatten(0, -2), rows.shape[-1]
    blur = flat @ _blur_matrix(length, kernel).to(flat.device)  # in double precision also under mixed precision
    height = blur.amax(-1, keepdim=True)
    scale = flat.amax(-1, keepdim=True) / height.where(height != 0, torch.ones_like(height))
    index = bins.flatten()[:, None] + torch.arange(-2, 3, device=rows.device)
    window = (blur.gather(-1, index.clamp(0, length - 1)) * scale).clamp(1e-3, 50.0).log()
    slope = 0.5 * (window[:, 3] - window[:, 1])
    curvature = 1e-9 + 0.25 * (window[:, 4] - 2 * window[:, 2] + window[:, 0])
    return (-slope / curvature).clamp(-(kernel // 2), kernel // 2).to(rows).view(rows.shape[:-1])


def dark_udp(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """DARK as in UDP: differences of direct neighbours, also at the border; (B, K, 2) (https://arxiv.org/abs/1911.07524).

    Heights are clamped to 0.001 to 50 before the logarithm. The border is padded by replication.
    """
    log = F.pad(blurred(maps, kernel).clamp(1e-3, 50.0).log(), (1,) * 4, mode='replicate')
    window = windows(log, x + 1, y + 1, 1)
    middle, right, below = window[..., 1, 1], window[..., 1, 2], window[..., 2, 1]
    left, above = window[..., 1, 0], window[..., 0, 1]
    dx, dy = 0.5 * (right - left), 0.5 * (below - above)
    dxx, dyy = right - 2 * middle + left, below - 2 * middle + above
    dxy = 0.5 * (window[..., 2, 2] - right - below + 2 * middle - left - above + window[..., 0, 0])
    dxx, dyy = (second + torch.finfo(torch.float).eps for second in (dxx, dyy))
    det = dxx * dyy - dxy**2
    offsets = (torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1) / det[..., None]).to(maps)
    flat = det.abs() < 0.01 * (dxx.abs() + dyy.abs() + dxy.abs())
    if not is_traced() and flat.any():
        offsets[flat] = _dark_udp_by_opencv(maps[flat], x[flat], y[flat], kernel).to(offsets)
    return offsets


def _dark_udp_by_opencv(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """`dark_udp` for maps (N, H, W) without a clear maximum, with the rounding of OpenCV and NumPy: (N, 2)."""
    offsets = np.zeros((len(maps), 2), np.float32)
    for i, (cells, x0, y0) in enumerate(zip(maps.float().cpu().numpy(), x.tolist(), y.tolist(), strict=True)):
        blur = _blurred_by_opencv(cells, kernel)
        window = np.pad(np.log(np.clip(blur, np.float32(1e-3), np.float32(50))), 1, 'edge')[y0 : y0 + 3, x0 : x0 + 3]
        (upper_left, above, _), (left, middle, right), (_, below, lower_right) = window
        dxy = np.float32(0.5) * (lower_right - right - below + middle + middle - left - above + upper_left)
        hessian = np.array([[right - 2 * middle + left, dxy], [dxy, below - 2 * middle + above]])
        gradient = np.array([right - left, below - above]) * np.float32(0.5)
        offsets[i] = -np.linalg.inv(hessian.astype(np.float64) + np.finfo(np.float32).eps * np.eye(2)) @ gradient
    return torch.from_numpy(offsets)


def _blurred_by_opencv(cells: NDArray[np.float32], kernel: int) -> NDArray[np.float32]:
    """Blur a map (H, W) with zero padding, and scale it back to its maximum."""
    border = kernel // 2
    blur = cv2.GaussianBlur(np.pad(cells, border), (kernel, kernel), 0)[border:-border, border:-border]
    return blur * (cells.max() / blur.max())
