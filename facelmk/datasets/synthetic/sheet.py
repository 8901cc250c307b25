"""A sheet of drawn faces, to look at."""

from collections.abc import Sequence

import cv2
import numpy as np

from .faces import draw


def sheet(seed: int = 0, indices: Sequence[int] = range(24), columns: int = 6, markup: str = 'wflw', points: bool = False,
          size: int = 192) -> np.ndarray:
    """Faces side by side (H, W, 3) BGR, with their points on wish: green where visible, red where not."""
    drawn = draw(seed, indices, size, markup)
    tiles = []
    for image, landmarks, visible in zip(drawn.images, drawn.landmarks, drawn.visible):
        tile = image.copy()
        for (x, y), shown in zip(landmarks if points else [], visible):
            cv2.circle(tile, (round(x * 16), round(y * 16)), 20, (0, 255, 0) if shown else (0, 0, 255), -1, cv2.LINE_AA, 4)
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[k:k + columns]) for k in range(0, len(tiles), columns)])
