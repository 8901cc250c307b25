"""Sub-cell refinement: the offset of a point from the highest cell of its heatmap."""

import torch
from torch import Tensor

from .blur import blur_matrix, blur_matrix_5, blurred, in_full_precision
from .constants import constant
from .opencv_dark import dark_by_opencv, dark_udp_by_opencv
from .peaks import is_in_memory, neighbours, values_at, windows

FLATNESS = 0.02  # below this ratio of determinant and second differences, the last bit of the blur moves a point


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
    right, left, below, above = neighbours(maps, x, y)
    dx, dy = right - left, below - above
    difference = torch.stack((dx, dy), -1)
    return difference.sign() * (difference.abs() > threshold) * 0.25


def dark(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """DARK: the maximum of a parabola in the logarithm of the blurred map, from the highest cell, (B, K, 2).

    Only the 5 x 5 blurred cells around the maximum are computed. On a CPU, maps without a clear
    maximum follow OpenCV's rounding; on other devices they do not, because networks round differently there anyway.
    """
    H, W = maps.shape[-2:]
    inside = (x > 1) & (x < W - 2) & (y > 1) & (y < H - 2)
    blur = constant(blur_matrix_5, kernel, like=maps)
    with in_full_precision(maps):
        blurred = blur @ windows(maps, x, y, kernel // 2 + 2) @ blur.T
    log = blurred.clamp(min=1e-10).log()
    dx, dy = 0.5 * (log[..., 2, 3] - log[..., 2, 1]), 0.5 * (log[..., 3, 2] - log[..., 1, 2])
    dxx = 0.25 * (log[..., 2, 4] - 2 * log[..., 2, 2] + log[..., 2, 0])
    dyy = 0.25 * (log[..., 4, 2] - 2 * log[..., 2, 2] + log[..., 0, 2])
    dxy = 0.25 * (log[..., 3, 3] - log[..., 1, 3] - log[..., 3, 1] + log[..., 1, 1])
    det = dxx * dyy - dxy**2
    divisor = torch.where(det != 0, det, torch.ones_like(det))
    offsets = torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1) / divisor[..., None] * inside[..., None]
    if is_in_memory(maps):
        flat = det.abs() < FLATNESS * (dxx.abs() + dyy.abs() + dxy.abs())
        chosen = inside & (flat | (blurred.flatten(-2).amin(-1) < 1e-6))
        offsets[chosen] = dark_by_opencv(maps.detach()[chosen], x[chosen], y[chosen], kernel).to(offsets)
    return offsets


def dark_udp(maps: Tensor, x: Tensor, y: Tensor, kernel: int) -> Tensor:
    """DARK as in UDP: differences of direct neighbours, also at the border; (B, K, 2) (https://arxiv.org/abs/1911.07524).

    Heights are clamped to 0.001 to 50 before the logarithm. The border is padded by replication.
    """
    if is_in_memory(maps):
        offsets = dark_udp_by_opencv(maps.detach().flatten(0, 1), x.flatten(), y.flatten(), kernel)
        return offsets.to(maps).unflatten(0, x.shape)
    H, W = maps.shape[-2:]
    step = torch.arange(-1, 2, device=maps.device)
    columns, rows = (x[..., None] + step).clamp(0, W - 1), (y[..., None] + step).clamp(0, H - 1)
    log = values_at(blurred(maps, kernel), columns[..., None, :], rows[..., None]).clamp(1e-3, 50.0).log()
    middle, right, below = log[..., 1, 1], log[..., 1, 2], log[..., 2, 1]
    left, above = log[..., 1, 0], log[..., 0, 1]
    dx, dy = 0.5 * (right - left), 0.5 * (below - above)
    dxx, dyy = right - 2 * middle + left, below - 2 * middle + above
    dxy = 0.5 * (log[..., 2, 2] - right - below + 2 * middle - left - above + log[..., 0, 0])
    dxx, dyy = (second + torch.finfo(torch.float).eps for second in (dxx, dyy))
    det = dxx * dyy - dxy**2
    return (torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1) / det[..., None]).to(maps)


def dark_rows(rows: Tensor, bins: Tensor, kernel: int) -> Tensor:
    """DARK for rows of bins (..., L): the offset (...) of the maximum from the highest bin, in bins.

    As in MMPose, heights are clamped to 0.001 to 50 before the logarithm, and the outermost bins repeated.
    A row without a clear maximum would move the bin anywhere, so an offset is at most half of the kernel.
    """
    flat, length = rows.double().flatten(0, -2), rows.shape[-1]
    blur = flat @ constant(blur_matrix, length, kernel, like=flat)  # in double precision also under mixed precision
    height = blur.amax(-1, keepdim=True)
    scale = flat.amax(-1, keepdim=True) / height.where(height != 0, torch.ones_like(height))
    index = bins.flatten()[:, None] + torch.arange(-2, 3, device=rows.device)
    window = (blur.gather(-1, index.clamp(0, length - 1)) * scale).clamp(1e-3, 50.0).log()
    slope = 0.5 * (window[:, 3] - window[:, 1])
    curvature = 1e-9 + 0.25 * (window[:, 4] - 2 * window[:, 2] + window[:, 0])
    return (-slope / curvature).clamp(-(kernel // 2), kernel // 2).to(rows).view(rows.shape[:-1])
