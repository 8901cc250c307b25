"""A contact sheet of drawn faces."""

from collections.abc import Sequence

import cv2
import numpy as np

from .faces import draw


def sheet(
    seed: int = 0,
    indices: Sequence[int] = range(24),
    columns: int = 6,
    markup: str = 'wflw',
    points: bool = False,
    size: int = 192,
) -> np.ndarray:
    """Faces side by side (H, W, 3) BGR. `points` marks visible landmarks green and hidden ones red."""
    drawn = draw(seed, indices, size, markup)
    tiles = [image.copy() for image in drawn.images] if drawn.images is not None else []
    for tile, landmarks, visible in zip(tiles, drawn.landmarks, drawn.visible, strict=True):
        if points:
            _mark_landmarks(tile, landmarks, visible)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[k : k + columns]) for k in range(0, len(tiles), columns)])


def _mark_landmarks(tile: np.ndarray, landmarks: np.ndarray, visible: np.ndarray) -> None:
    for (x, y), is_visible in zip(landmarks, visible, strict=True):
        colour = (0, 255, 0) if is_visible else (0, 0, 255)
        cv2.circle(tile, (round(float(x) * 16), round(float(y) * 16)), 20, colour, -1, cv2.LINE_AA, 4)
