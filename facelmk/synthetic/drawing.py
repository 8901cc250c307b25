"""Anti-aliased polygons and lines, blending of 8-bit images, and curves."""

import functools
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike

Colour = tuple[float, float, float]  # BGR


def colour_of(values: np.ndarray, factor: float = 1.0) -> Colour:
    """BGR values (3,), times `factor`, as a colour from 0 to 255."""
    b, g, r = (min(max(float(value) * factor, 0.0), 255.0) for value in values)
    return b, g, r


def _fixed_point(points: np.ndarray) -> np.ndarray:
    """Points in sixteenths of a pixel, as OpenCV takes them with shift=4."""
    return np.rint(points * 16).astype(np.int32)


def _scalar(colour: Colour | int) -> Sequence[float]:
    return (colour,) if isinstance(colour, int) else colour


def fill(image: np.ndarray, points: np.ndarray, colour: Colour | int) -> None:
    """Fill a polygon (N, 2), anti-aliased, in place."""
    cv2.fillPoly(image, [_fixed_point(points)], _scalar(colour), cv2.LINE_AA, 4)


def line(image: np.ndarray, points: np.ndarray, colour: Colour | int, width: float = 1, closed: bool = False) -> None:
    """Draw a polyline (N, 2), anti-aliased, in place."""
    thickness = max(int(width + 0.5), 1)
    cv2.polylines(image, [_fixed_point(points)], closed, _scalar(colour), thickness, cv2.LINE_AA, 4)


def strokes(image: np.ndarray, lines: np.ndarray, colour: Colour | int, width: int = 1) -> None:
    """Draw many lines (N, M, 2) of one colour, anti-aliased, in place."""
    cv2.polylines(image, list(_fixed_point(lines)), False, _scalar(colour), width, cv2.LINE_AA, 4)


def blend(base: np.ndarray, layer: np.ndarray | Colour, alpha: np.ndarray) -> np.ndarray:
    """Blend `layer`, an image or a colour, over `base` by alpha (H, W) uint8."""
    alpha = to_bgr(alpha)
    foreground = (
        tint(alpha, np.array(layer), 1 / 255) if isinstance(layer, tuple) else cv2.multiply(layer, alpha, scale=1 / 255)
    )
    return cv2.add(foreground, cv2.multiply(base, cv2.bitwise_not(alpha), scale=1 / 255))


def to_bgr(grey: np.ndarray) -> np.ndarray:
    """A grey image (H, W) as (H, W, 3)."""
    return cv2.merge([grey] * 3)


def tint(image: np.ndarray, colour: np.ndarray, scale: float = 1 / 128) -> np.ndarray:
    """An image (H, W, 3) uint8 times a colour (3,) times `scale`."""
    return cv2.multiply(image, np.array([*colour, 0], float), scale=scale)


def bounds(points: np.ndarray, margin: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of an image that contain points (N, 2) with a margin."""
    low = np.maximum(np.floor(points.min(0) - margin), 0).astype(int)
    high = np.maximum(np.ceil(points.max(0) + margin).astype(int) + 1, low + 1)
    return slice(min(low[1], shape[0] - 1), high[1]), slice(min(low[0], shape[1] - 1), high[0])


def ellipse(centre: ArrayLike, radii: ArrayLike, angle: float = 0.0, count: int = 20) -> np.ndarray:
    """An ellipse as a polygon (count, 2)."""
    cosine, sine = math.cos(angle), math.sin(angle)
    (x, y), (a, b) = np.asarray(centre), np.asarray(radii)
    return _circle(count) @ np.array([[a * cosine, a * sine], [-b * sine, b * cosine]]) + (x, y)


@functools.cache
def _circle(count: int) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def spline(points: np.ndarray, count: int, closed: bool = False) -> np.ndarray:
    """A Catmull-Rom curve of `count` points through (N, D) points."""
    if closed:
        knots = np.concatenate([points[-1:], points, points[:2]])
        position = np.linspace(0, len(points), count, endpoint=False)
    else:
        knots = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
        position = np.linspace(0, len(points) - 1, count)
    k = np.minimum(position.astype(int), len(knots) - 4)
    t = (position - k)[:, None]
    a, b, c, d = knots[k], knots[k + 1], knots[k + 2], knots[k + 3]
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
