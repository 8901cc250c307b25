"""Crops as the training pipeline cuts them, and points back in the photograph."""

import numpy as np
from numpy.typing import NDArray

from ... import geometry
from ...datasets.transforms.pixels import cut_integer, resample
from .facts import CropRule


def crop_box(image: NDArray[np.uint8], box: NDArray, rule: CropRule) -> tuple[NDArray[np.uint8], geometry.Matrix]:
    """Return the crop (size, size, 3) of a box (4,) and the matrix (3, 3) from the photograph to it."""
    warp = geometry.box_to_square_crop(box, rule.span, rule.padding)
    if not rule.integer:
        return np.asarray(resample(image, warp, rule.size), np.uint8), warp
    x1, y1, x2, y2 = np.asarray(box, np.float64)
    centre, side = ((x1 + x2) / 2, (y1 + y2) / 2), max(x2 - x1, y2 - y1)
    return np.asarray(cut_integer(image, centre, side * rule.padding, rule.size), np.uint8), warp


def to_photo(points: NDArray, warp: geometry.Matrix, how: str) -> NDArray[np.float32]:
    """Map points (K, 2) of a crop to pixels of the photograph; HRNet's own networks round these numbers.

    The inverse is written out: where other processes use the cores, LAPACK's threads can wait for milliseconds.
    """
    (a, b, x), (c, d, y) = warp[:2].tolist()
    u, v = points[:, 0].astype(np.float64) - x, points[:, 1].astype(np.float64) - y
    landmarks = (np.stack((d * u - b * v, a * v - c * u), -1) / (a * d - b * c)).astype(np.float32)
    if how == 'truncate':
        return np.trunc(landmarks) + 1
    return np.round(landmarks) if how == 'round' else landmarks


def scale_of(warp: geometry.Matrix) -> float:
    """How many pixels of the crop a pixel of the photograph is."""
    (a, b, _), (c, d, _) = warp[:2].tolist()
    return abs(a * d - b * c) ** 0.5
