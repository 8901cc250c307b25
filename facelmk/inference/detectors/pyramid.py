"""Search a picture at several sizes, whatever network finds the faces of one. Nothing here needs torch."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ...geometry import shares_inside
from .base import BLOCK, Boxes, Picture, Scores, suppress

LEAST_PX, MOST_ENLARGED = 192, 3.0  # of the longer side of a picture: a face in a smaller one has too few pixels
MOST_INSIDE = 0.7  # of a box in a better one; more, and it is a part of that face
Find = Callable[[Picture], tuple[np.ndarray, np.ndarray]]


def search(
    image: Picture, sizes: Sequence[int], multiple: int, find: Find, score: float, overlap: float
) -> tuple[Boxes, Scores]:
    """Return boxes (N, 4) in pixels of the picture and scores (N,) of at least `score`, the best first.

    `find` gets the picture at each of the `sizes`, its longer side in pixels, black up to a `multiple` on the right and
    below. Of two boxes that overlap by more than `overlap` the better one stays, and so it does where it contains most
    of the other. Only pictures of less than 192 pixels are enlarged.
    """
    longer = max(image.shape[:2])
    most = min(max(1.0, LEAST_PX / longer), MOST_ENLARGED)
    factors = sorted({min(most, size / longer) for size in sizes})
    found = [_find_at(image, factor, multiple, find) for factor in factors]
    boxes, scores = (np.concatenate(part) for part in zip(*found, strict=True))
    best = scores >= score
    boxes, scores = boxes[best], scores[best]
    order = suppress(boxes, scores, overlap)
    order = order[~lies_inside(boxes[order], MOST_INSIDE)]
    return boxes[order], scores[order]


def lies_inside(boxes: np.ndarray, most: float) -> NDArray[np.bool_]:
    """Whether more than the share `most` of each box (N, 4), the best first, lies in a better one, which stays."""
    dropped = np.zeros(len(boxes), bool)
    for start in range(0, len(boxes), BLOCK):
        inside = shares_inside(boxes[start : start + BLOCK], boxes) > most
        for i, row in enumerate(inside, start):
            dropped[i] = row[:i][~dropped[:i]].any()
    return dropped


def _find_at(image: Picture, factor: float, multiple: int, find: Find) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes (N, 4) in pixels of the picture and scores (N,) that a resize by `factor` shows."""
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    resized = image if factor == 1 else cv2.resize(image, size, interpolation=method)
    right, below = (-side % multiple for side in size)
    boxes, scores = find(np.asarray(cv2.copyMakeBorder(resized, 0, below, 0, right, cv2.BORDER_CONSTANT), np.uint8))
    ratio = np.divide((width, height), size)
    return (boxes.astype(np.float64) + 0.5) * np.tile(ratio, 2) - 0.5, scores
