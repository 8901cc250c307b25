"""OpenCV's Gaussian blur as matrices."""

from contextlib import AbstractContextManager, nullcontext

import cv2
import torch
from torch import Tensor

from ..errors import FacelmkError
from .constants import constant


def in_full_precision(maps: Tensor) -> AbstractContextManager:
    """A block in which mixed precision rounds no matrix product of the maps."""
    device = maps.device.type
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


def blur_kernel_1d(kernel: int) -> Tensor:
    """OpenCV's Gaussian blur weights (kernel,) for this kernel size; up to 7 cells they are binary fractions."""
    if kernel < 1 or kernel % 2 == 0:
        raise FacelmkError(f'kernel={kernel}. Expected an odd number of cells, 1 or more.')
    return torch.from_numpy(cv2.getGaussianKernel(kernel, 0)[:, 0])


def blur_matrix_5(kernel: int) -> Tensor:
    """The matrix (5, kernel + 4) that blurs a window of kernel + 4 cells to the five cells in its middle."""
    weights = blur_kernel_1d(kernel)
    rows = torch.zeros(5, kernel + 4, dtype=torch.float64)
    for i in range(5):
        rows[i, i : i + kernel] = weights
    return rows


def blur_matrix(length: int, kernel: int) -> Tensor:
    """The matrix (length, length) that blurs a row of cells with zeros around it."""
    index = torch.arange(length)[:, None] - torch.arange(length) + kernel // 2
    in_kernel = (index >= 0) & (index < kernel)
    return blur_kernel_1d(kernel)[index.clamp(0, kernel - 1)] * in_kernel


def blurred(maps: Tensor, kernel: int) -> Tensor:
    """Blur maps with zero padding, and scale them back to their maxima.

    Double precision keeps equal neighbours of a symmetric peak equal up to 1e-9.
    """
    maps = maps.double()
    rows, columns = (constant(blur_matrix, length, kernel, like=maps) for length in maps.shape[-2:])
    blur = rows @ maps @ columns
    return blur * (maps.amax((-2, -1)) / blur.amax((-2, -1)))[..., None, None]


def blurred_by_reflection(maps: Tensor, kernel: int) -> Tensor:
    """Blur maps as OpenCV does by default: beyond the border the map is reflected about its outermost cell."""
    rows, columns = (constant(reflecting_blur_matrix, length, kernel, like=maps) for length in maps.shape[-2:])
    with in_full_precision(maps):
        return rows @ maps @ columns.T


def reflecting_blur_matrix(length: int, kernel: int) -> Tensor:
    """The matrix (length, length) that blurs a row of cells with reflected ends."""
    period = max(2 * (length - 1), 1)
    index = (torch.arange(length)[:, None] + torch.arange(kernel) - kernel // 2) % period
    index = torch.minimum(index, period - index) if length > 1 else torch.zeros_like(index)
    weights = blur_kernel_1d(kernel).expand(length, kernel)
    return torch.zeros(length, length, dtype=torch.float64).scatter_add_(1, index, weights)
