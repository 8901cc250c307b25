"""Crops of faces: with a margin around the box, or aligned on five points."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..datasets.transforms.pixels import resample
from ..errors import FacelmkError
from ..geometry import Matrix, box_to_crop

MAX_CROP_PX = 8192
MAX_MARGIN = 10.0
ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
ARCFACE_SIZE = 112  # side in pixels of the crop that these five points are in (https://arxiv.org/abs/1801.07698)


def align(image: NDArray[np.uint8], five: ArrayLike, size: int) -> NDArray[np.uint8]:
    """Return the crop (size, size, 3) of a picture in which five points (5, 2) lie on ArcFace's."""
    return np.asarray(resample(image, similarity(five, ARCFACE * size / ARCFACE_SIZE), size), np.uint8)


def crop(image: NDArray[np.uint8], box: ArrayLike, size: int | None = None, margin: float = 0.25) -> NDArray[np.uint8]:
    """Return the part of a picture in a box (4,) with a margin; with `size` it is square, black outside the picture."""
    if not (isinstance(margin, (int, float)) and math.isfinite(margin) and -0.5 < margin <= MAX_MARGIN):
        raise FacelmkError(f'margin={margin!r}. Expected a share of the box from 0 to {MAX_MARGIN}, such as 0.25')
    if size is None:
        return cut(image, enlarge(box, margin))
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not 0 < size <= MAX_CROP_PX:
        raise FacelmkError(f'size={size!r}. Expected a whole number of pixels from 1 to {MAX_CROP_PX}')
    return np.asarray(resample(image, box_to_crop(box, int(size), 1 + 2 * margin), int(size)), np.uint8)


def enlarge(box: ArrayLike, margin: float) -> NDArray[np.float64]:
    """Return a box (4,) with a margin, in widths and heights of the box, on all sides."""
    x1, y1, x2, y2 = np.asarray(box, np.float64)
    width, height = (x2 - x1) * margin, (y2 - y1) * margin
    return np.array([x1 - width, y1 - height, x2 + width, y2 + height])


def cut(image: NDArray[np.uint8], box: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a copy of the pixels of a picture in a box (4,)."""
    height, width = image.shape[:2]
    if not is_inside(box, image):
        raise FacelmkError(
            f'the box {np.round(box, 1).tolist()} lies outside of the picture of {width} x {height} pixels'
        )
    x1, y1 = (max(0, math.floor(value)) for value in box[:2])
    x2, y2 = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
    return image[y1:y2, x1:x2].copy()


def is_inside(box: NDArray, image: NDArray[np.uint8]) -> bool:
    """Whether a box (4,) has pixels of a picture."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box
    return bool(np.isfinite(box).all() and x1 < x2 and y1 < y2 and x2 > 0 and y2 > 0 and x1 < width and y1 < height)


def similarity(source: ArrayLike, target: ArrayLike) -> Matrix:
    """Return the 3x3 rotation, scale and shift that best fit points (N, 2) to others, never mirrored (Umeyama 1991)."""
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    source_centre, target_centre = source.mean(0), target.mean(0)
    a, b = (
        (source - source_centre) @ [1, 1j],
        (target - target_centre) @ [1, 1j],
    )  # points as complex numbers: the map is b = w a + v
    spread = (abs(a) ** 2).sum()
    if not spread > 0:
        raise FacelmkError(
            f'all points lie on {source_centre.round(1).tolist()}, so they cannot be aligned. Expected different points'
        )
    w = (a.conj() * b).sum() / spread
    linear = np.array([[w.real, -w.imag], [w.imag, w.real]])
    return np.vstack([np.column_stack([linear, target_centre - linear @ source_centre]), [0, 0, 1]])
