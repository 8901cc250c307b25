"""Drawing in 8 bits: anti-aliased polygons and lines, soft blends, and the grain that all faces share."""

import functools
import math

import cv2
import numpy as np

Colour = tuple[float, float, float]


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.rint(points * 16).astype(np.int32)


def fill(image: np.ndarray, points: np.ndarray, colour: Colour | int) -> None:
    """Fill a polygon (N, 2), anti-aliased, in place."""
    cv2.fillPoly(image, [_fixed(points)], colour, cv2.LINE_AA, 4)


def line(image: np.ndarray, points: np.ndarray, colour: Colour | int, width: float = 1, closed: bool = False) -> None:
    """Draw a polyline (N, 2), anti-aliased, in place."""
    cv2.polylines(image, [_fixed(points)], closed, colour, max(int(width + 0.5), 1), cv2.LINE_AA, 4)


def strokes(image: np.ndarray, lines: np.ndarray, colour: Colour | int, width: int = 1) -> None:
    """Draw many lines (N, M, 2) of one colour, anti-aliased, in place."""
    cv2.polylines(image, list(_fixed(lines)), False, colour, width, cv2.LINE_AA, 4)


def blend(base: np.ndarray, layer: np.ndarray | Colour, alpha: np.ndarray) -> np.ndarray:
    """`layer`, a picture or a colour, over `base` by alpha (H, W) uint8."""
    alpha = cv2.merge([alpha] * 3)
    over = (
        cv2.multiply(alpha, (*layer, 0), scale=1 / 255)
        if isinstance(layer, tuple)
        else cv2.multiply(layer, alpha, scale=1 / 255)
    )
    return cv2.add(over, cv2.multiply(base, cv2.bitwise_not(alpha), scale=1 / 255))


def around(points: np.ndarray, margin: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of a picture about points (N, 2)."""
    low = np.maximum(np.floor(points.min(0) - margin), 0).astype(int)
    high = np.maximum(np.ceil(points.max(0) + margin).astype(int) + 1, low + 1)
    return slice(min(low[1], shape[0] - 1), high[1]), slice(min(low[0], shape[1] - 1), high[0])


def ellipse(centre: np.ndarray, radii: tuple[float, float], angle: float = 0.0, count: int = 20) -> np.ndarray:
    """A polygon (count, 2) about `centre`."""
    cosine, sine = math.cos(angle), math.sin(angle)
    (x, y), (a, b) = centre, radii
    return _circle(count) @ np.array([[a * cosine, a * sine], [-b * sine, b * cosine]]) + (x, y)


@functools.cache
def _circle(count: int) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn)], -1)


def smooth(points: np.ndarray, count: int, closed: bool = False) -> np.ndarray:
    """A Catmull-Rom curve of `count` points through (N, D) points."""
    if closed:
        ring = np.concatenate([points[-1:], points, points[:2]])
        at = np.linspace(0, len(points), count, endpoint=False)
    else:
        ring = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
        at = np.linspace(0, len(points) - 1, count)
    k = np.minimum(at.astype(int), len(ring) - 4)
    t = (at - k)[:, None]
    a, b, c, d = ring[k], ring[k + 1], ring[k + 2], ring[k + 3]
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


@functools.cache
def grain(kind: str) -> np.ndarray:
    """Noise that every face takes pieces of (512, 512) uint8 about 128: 'pixel', 'pore', 'blotch', 'hair', 'cloth'."""
    draw = np.random.Generator(np.random.Philox(key=[hash_of(kind), 7]))
    noise = draw.standard_normal((512, 512)).astype(np.float32)
    widths: list[tuple[float, float, float]] = {
        'pixel': [(0, 0, 1)],
        'pore': [(0.8, 0.8, 1), (2.0, 2.0, 0.7)],
        'blotch': [(6, 6, 1), (14, 14, 1.5), (3, 3, 0.4)],
        'hair': [(0.6, 9, 1), (1.6, 24, 1.1), (5, 40, 0.8)],
        'cloth': [(0.7, 3, 1), (3, 0.7, 1), (12, 12, 0.8)],
    }[kind]
    total = sum(weight * _unit(_wrapped_blur(noise, sx, sy)) for sx, sy, weight in widths)
    return np.clip(128 + 32 * _unit(total), 0, 255).astype(np.uint8)


def hash_of(word: str) -> int:
    """A number for a word that is the same in every process."""
    return int.from_bytes(word.encode()[:8], 'little')


def piece(
    kind: str, draw: np.random.Generator, height: int, width: int, strength: float, mean: float = 128
) -> np.ndarray:
    """A random window of a grain (height, width) uint8, its contrast times `strength` about `mean`."""
    whole = grain(kind)
    top, left = int(draw.integers(0, max(512 - height, 1))), int(draw.integers(0, max(512 - width, 1)))
    window = whole[top : top + height, left : left + width]
    if window.shape != (height, width):
        window = cv2.resize(window, (width, height))
    return cv2.convertScaleAbs(window, alpha=strength, beta=mean - 128 * strength)


def _wrapped_blur(noise, sx, sy):
    if not sx:
        return noise
    pad = 128
    return cv2.GaussianBlur(np.pad(noise, pad, mode='wrap'), (0, 0), sx, sigmaY=sy)[pad:-pad, pad:-pad]


def _unit(values):
    return (values - values.mean()) / values.std()
