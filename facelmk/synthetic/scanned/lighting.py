"""Light by vertex of a scanned head: ambient, key light with shadows, fill light and shine, as in `lighting`."""

import cv2
import numpy as np

from ..appearance import Appearance
from .read import EYES, GUMS, SKIN


def normals(posed: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Outward unit normals (N, 3) of vertices (N, 3)."""
    a, b, c = triangles.T
    (ax, ay, az), (bx, by, bz) = (posed[b] - posed[a]).T, (posed[c] - posed[a]).T
    flat = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], 1)
    total = np.stack(
        [sum(np.bincount(corner, flat[:, k], len(posed)) for corner in (a, b, c)) for k in range(3)], 1
    ).astype(np.float32)
    return total / (np.sqrt((total * total).sum(1, keepdims=True)) + 1e-9)


def light_vertices(posed: np.ndarray, normal: np.ndarray, look: Appearance) -> tuple[np.ndarray, np.ndarray]:
    """The factors (N, 3) by which light changes the texture, and the shine (N,) that it adds."""
    key = np.maximum(normal @ look.key_light + 0.08, 0) / 1.08
    if look.cast_shadow > 0.1:
        key = key * (1 - np.float32(look.cast_shadow) * _shadow(posed, look.key_light))
    sky = 0.82 - 0.22 * normal[:, 1] - 0.1 * np.maximum(-normal[:, 2], 0)
    fill = np.maximum(normal @ look.fill_light.astype(np.float32), 0) * 0.3
    ambient, key_colour = look.ambient_colour.astype(np.float32), look.key_light_colour.astype(np.float32)
    shade = (sky + fill)[:, None] * ambient + (key * 1.5)[:, None] * key_colour
    root = np.sqrt(np.maximum(shade * np.float32(look.exposure), 0.004))
    factors = np.minimum(root * (0.35 + 0.65 * root), 2)
    factors[GUMS:EYES] *= 0.72
    factors[EYES:] = np.sqrt(factors[EYES:]) * 0.88
    halfway: np.ndarray = look.key_light + np.array([0, 0, 1], np.float32)
    halfway = halfway / np.float32(np.sqrt((halfway * halfway).sum()))
    shine = np.maximum(normal @ halfway, 0) ** 14 * np.float32(look.shine * 70) * (key > 0)
    return factors, shine


def _shadow(posed: np.ndarray, towards: np.ndarray, cells: int = 48) -> np.ndarray:
    """The share of the key light that other parts of the head take from each vertex (N,), by a coarse depth map."""
    across = np.cross(towards, [0, 1, 0])
    across = across / (np.sqrt((across * across).sum()) + 1e-6)
    flat = posed @ np.stack([across, np.cross(across, towards), towards]).astype(np.float32).T
    skin = flat[:SKIN]
    low = skin[:, :2].min(0)
    scale = (cells - 1) / np.ptp(skin[:, :2], axis=0).max()
    cell = np.clip(((flat[:, :2] - low) * scale + 0.5).astype(np.int32), 0, cells - 1)
    cell = cell[:, 1] * cells + cell[:, 0]
    nearest: np.ndarray = np.full(cells * cells, -9, np.float32)
    np.maximum.at(nearest, cell[:SKIN], skin[:, 2])
    nearest = cv2.blur(nearest.reshape(cells, cells), (2, 2)).ravel()
    return np.clip((nearest[cell] - flat[:, 2] - 0.09) * 9, 0, 1)
