"""Affine maps of the plane as 3x3 matrices, and the pixel convention.

THE PIXEL CONVENTION. A pixel's coordinates are those of its centre: the first pixel of a row is 0, the last of W is
W - 1, and an image mirrors as x' = W - 1 - x. A box of centre c and side s becomes a crop of S x S pixels by

    crop = (photo - c) * S / s + S / 2

so the centre of the box is mapped to (S / 2, S / 2), as in MMPose. The inverse matrix maps the crop to the photograph.
Arrays of points are (..., 2), x first. Boxes are (x1, y1, x2, y2).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]


def about(matrix: Matrix, centre: ArrayLike) -> Matrix:
    """The map `matrix`, with `centre` as its origin."""
    x, y = np.asarray(centre, np.float64)
    return shift(x, y) @ matrix @ shift(-x, -y)


def shift(x: float, y: float) -> Matrix:
    """The translation by (x, y)."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def scale(x: float, y: float | None = None) -> Matrix:
    """The scaling by x and y about the origin; y defaults to x."""
    return np.diag([x, x if y is None else y, 1.0]).astype(np.float64)


def rotate(degrees: float) -> Matrix:
    """The rotation about the origin. In an image, where y points down, positive degrees turn clockwise."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float64)


def mirror(width: float) -> Matrix:
    """The horizontal mirror: x' = width - 1 - x."""
    return np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]], np.float64)


def box_to_crop(box: ArrayLike, size: int, padding: float = 1.0, degrees: float = 0.0) -> Matrix:
    """The map from the photograph to a crop of `size` pixels around a box.

    The crop shows a square whose side is `padding` times the longer side of the box. Its content turns by -degrees: a
    head that is rotated by `degrees` in the photograph is upright in the crop.
    """
    x1, y1, x2, y2 = np.asarray(box, np.float64).tolist()
    side = max(x2 - x1, y2 - y1) * padding
    factor, angle = size / side if side else math.inf, -math.radians(degrees)
    # shift(size / 2, size / 2) @ scale(factor) @ rotate(-degrees) @ shift(-x, -y), which takes ten times as long
    x, y, c, s = (x1 + x2) / 2, (y1 + y2) / 2, factor * math.cos(angle), factor * math.sin(angle)
    return np.array([[c, -s, size / 2 - (c * x - s * y)], [s, c, size / 2 - (s * x + c * y)], [0, 0, 1]], np.float64)


def apply(matrix: ArrayLike, points: ArrayLike) -> NDArray[np.floating]:
    """Map points (..., 2) by a 3x3 matrix, or points (B, K, 2) by matrices (B, 3, 3); float32 stays float32."""
    matrix, points = np.asarray(matrix, np.float64), np.asarray(points)
    dtype = points.dtype if points.dtype.kind == 'f' else np.float64
    mapped = points @ np.swapaxes(matrix[..., :2, :2], -1, -2) + matrix[..., None, :2, 2]
    return mapped.reshape(points.shape).astype(dtype, copy=False)


def invert(matrix: ArrayLike) -> Matrix:
    """The inverse map."""
    return np.linalg.inv(np.asarray(matrix, np.float64))


def tight_box(points: ArrayLike, visible: ArrayLike | None = None) -> NDArray[np.float32]:
    """The smallest box with integer sides around points (K, 2), as in published landmark tables."""
    low, high = _extent(points, visible)
    return np.array([*np.floor(low), *np.ceil(high)], np.float32)


def exact_box(points: ArrayLike, visible: ArrayLike | None = None) -> NDArray[np.float32]:
    """The smallest box around points (K, 2), not rounded to whole pixels."""
    return np.concatenate(_extent(points, visible)).astype(np.float32)


def _extent(points: ArrayLike, visible: ArrayLike | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the largest x and y of the visible points; of all points if none is visible."""
    points = np.asarray(points, np.float64)
    if visible is not None and np.any(visible):
        points = points[np.asarray(visible) > 0]
    return points.min(0), points.max(0)


def square_box(centre: ArrayLike, side: float) -> NDArray[np.float32]:
    """The square box of `side` pixels around `centre`; in published tables, side is 200 times their `scale`."""
    return exact_square_box(centre, side).astype(np.float32)


def exact_square_box(centre: ArrayLike, side: float) -> NDArray[np.float64]:
    """The same in float64, for the arithmetic of crops."""
    x, y = np.asarray(centre, np.float64)
    return np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])


def box_to_square_crop(box: ArrayLike, span: int, padding: float) -> Matrix:
    """The map from the photograph to an upright crop, as `CropFace` makes it: the box with padding is `span` wide."""
    x1, y1, x2, y2 = np.asarray(box, np.float64)
    square = exact_square_box(((x1 + x2) / 2, (y1 + y2) / 2), max(x2 - x1, y2 - y1))
    return box_to_crop(square, span, padding)


def overlaps(boxes: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """Return the intersection over union (N, M) of boxes (N, 4) and others (M, 4)."""
    shared = _shared_areas(boxes, others)
    return shared / np.maximum(_areas(boxes)[:, None] + _areas(others) - shared, 1e-12)


def shares_inside(boxes: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """Return the share (N, M) of the area of each box (N, 4) that lies inside each of the others (M, 4)."""
    return _shared_areas(boxes, others) / np.maximum(_areas(boxes), 1e-9)[:, None]


def _shared_areas(boxes: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    a, b = np.asarray(boxes, np.float64)[:, None], np.asarray(others, np.float64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.clip(sides, 0, None).prod(-1)


def _areas(boxes: ArrayLike) -> NDArray[np.float64]:
    corners = np.asarray(boxes, np.float64)
    return (corners[:, 2:] - corners[:, :2]).prod(-1)
