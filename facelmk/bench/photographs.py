"""Photographs for the benchmark: drawn faces on drawn backgrounds, as JPEG files of 1024 x 768 pixels.

Nothing of others is in them. Noise of all sizes makes the files as large as those of a camera: about 130 kB.
"""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..synthetic import SyntheticFaces

WIDTH, HEIGHT, QUALITY = 1024, 768, 88
FACE_SIDES = (64, 400)  # pixels; equally many small and large ones on a logarithmic scale
LAYERS = ((4, 60), (16, 30), (64, 20), (256, 7))  # structures across the picture, and their grey levels
GRAIN = 2.0  # grey levels


class Photograph(NamedTuple):
    """A file with one face: box (4,) and WFLW's landmarks (98, 2)."""

    path: str
    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]


def write_photographs(folder: Path, count: int) -> list[Photograph]:
    """Write `count` photographs, always the same ones."""
    faces = SyntheticFaces('wflw', count=count, size=256)
    return [_write(folder / f'{number}.jpg', faces.face(number), number) for number in range(count)]


def _write(path: Path, face: dict, number: int) -> Photograph:
    rng = np.random.default_rng(number)
    low, high = FACE_SIDES
    x1, y1, x2, y2 = face['box']
    scale = low * (high / low) ** rng.random() / max(x2 - x1, y2 - y1)
    small = cv2.resize(face['image'], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:HEIGHT, :WIDTH]
    picture = _background(rng)
    x, y = rng.integers(0, WIDTH - small.shape[1] + 1), rng.integers(0, HEIGHT - small.shape[0] + 1)
    picture[y : y + small.shape[0], x : x + small.shape[1]] = small
    picture += rng.normal(0, GRAIN, picture.shape)
    cv2.imwrite(str(path), np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    moved = np.array([x, y], np.float32)
    return Photograph(
        str(path),
        (face['box'].reshape(2, 2) * scale + moved).reshape(4).astype(np.float32),
        (face['landmarks'] * scale + moved).astype(np.float32),
    )


def _background(rng: np.random.Generator) -> NDArray[np.float32]:
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.float32)
    for cells, levels in LAYERS:
        field = rng.standard_normal((cells * HEIGHT // WIDTH, cells, 3)).astype(np.float32)
        picture += levels * cv2.resize(field, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return picture
