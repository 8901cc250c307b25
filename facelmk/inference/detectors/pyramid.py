"""Search a picture at several sizes, whatever network finds the faces of one. Nothing here needs torch."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from .base import Boxes, Picture, Scores, suppress

Find = Callable[[Picture], tuple[np.ndarray, np.ndarray]]


def search(
    image: Picture, sizes: Sequence[int], multiple: int, find: Find, score: float, overlap: float
) -> tuple[Boxes, Scores]:
    """Return boxes (N, 4) in pixels of the picture and scores (N,) of at least `score`, the best first.

    `find` gets the picture at each of the `sizes`, its longer side in pixels, black up to a `multiple` on the right and
    below. Of two boxes that overlap by more than `overlap` the better one stays. Pictures are not enlarged.
    """
    longer = max(image.shape[:2])
    factors = sorted({min(1.0, size / longer) for size in sizes})
    found = [_find_at(image, factor, multiple, find) for factor in factors]
    boxes, scores = (np.concatenate(part) for part in zip(*found, strict=True))
    best = scores >= score
    boxes, scores = boxes[best], scores[best]
    order = suppress(boxes, scores, overlap)
    return boxes[order], scores[order]


def _find_at(image: Picture, factor: float, multiple: int, find: Find) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes (N, 4) in pixels of the picture and scores (N,) that a reduction by `factor` shows."""
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    reduced = image if factor == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    right, below = (-side % multiple for side in size)
    boxes, scores = find(np.asarray(cv2.copyMakeBorder(reduced, 0, below, 0, right, cv2.BORDER_CONSTANT), np.uint8))
    ratio = np.divide((width, height), size)
    return (boxes.astype(np.float64) + 0.5) * np.tile(ratio, 2) - 0.5, scores
