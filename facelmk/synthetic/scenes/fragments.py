"""Pieces of photographed or drawn faces that are no face: shuffled tiles, single features, clothes, hair."""

from collections.abc import Callable

import cv2
import numpy as np

from .sources import Portrait, clothes_or_hair, face_region

Image = np.ndarray
Rng = np.random.Generator
EYES, MOUTH = (0.02, 0.3), (0.62, 0.92)  # rows of the tight box, as shares of its height


def shuffled(portrait: Portrait, rng: Rng) -> Image | None:
    """Return a face whose tiles have changed their places; no tile stays where it was."""
    region = face_region(portrait, (-0.15, -0.25), (1.15, 1.15))
    if region is None:
        return None
    count = int(rng.integers(3, 6))
    region = cv2.resize(region, (20 * count, 20 * count), interpolation=cv2.INTER_AREA)
    tiles = [region[20 * i : 20 * i + 20, 20 * j : 20 * j + 20] for i in range(count) for j in range(count)]
    order = rng.permutation(len(tiles))
    places = np.empty(len(tiles), int)
    places[order] = np.roll(order, 1)
    rows = [cv2.hconcat([tiles[k] for k in places[i * count : (i + 1) * count]]) for i in range(count)]
    return cv2.vconcat(rows)


def emptied(portrait: Portrait, rng: Rng) -> Image | None:
    """Return a face without eyes and mouth: smooth skin takes their places."""
    region = face_region(portrait, (-0.1, -0.15), (1.1, 1.1))
    if region is None:
        return None
    region, height = region.copy(), region.shape[0]
    for low, high in (EYES, MOUTH):
        rows = slice(int((low + 0.12) / 1.25 * height), int((high + 0.15) / 1.25 * height) + 1)
        band = region[rows]
        region[rows] = cv2.resize(cv2.resize(band, (3, 1), interpolation=cv2.INTER_AREA), band.shape[1::-1])
    return cv2.blur(region, (3, 3)) if rng.random() < 0.5 else region


def feature(portrait: Portrait, rng: Rng) -> Image | None:
    """Return one eye, a nose, a mouth, a cheek or an ear, much smaller than the face."""
    corners = (((0, 0.0), (0.48, 0.35)), ((0.52, 0.0), (1, 0.35)), ((0.2, 0.62), (0.8, 1.0)), ((0.3, 0.2), (0.7, 0.7)))
    cheeks = (((0, 0.4), (0.35, 0.9)), ((0.65, 0.4), (1, 0.9)), ((-0.3, 0), (0.05, 0.7)))
    low, high = (*corners, *cheeks)[rng.integers(7)]
    return face_region(portrait, low, high)


FRAGMENTS: tuple[Callable[[Portrait, Rng], Image | None], ...] = (
    shuffled,
    emptied,
    feature,
    clothes_or_hair,
    clothes_or_hair,
)
