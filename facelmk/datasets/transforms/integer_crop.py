"""The original HRNet's crop: whole pixels are cut out, then turned, then resized. Used to repeat its protocol alone."""

import cv2
import numpy as np
from numpy.typing import ArrayLike

from ... import geometry


def cut_integer(image: np.ndarray, centre: ArrayLike, side: float, size: int, degrees: float = 0.0) -> np.ndarray:
    """The crop (size, size, 3) of the square of `side` pixels around `centre`, black outside the picture.

    A face of twice the crop's size or more is reduced first, with its whole picture, by side / size. Corners are cut
    off towards zero after the arithmetic of 1-based pixels, so that the crop lies a fraction of a pixel beside the
    nominal map, which HRNet's targets and decoding follow. Its resizing also stretches each crop from black to white;
    that is left out.
    """
    centre = np.asarray(centre, np.float64)
    if side >= 2 * size:
        height, width = (int(length * size / side) for length in image.shape[:2])
        if max(height, width) < 2 or min(height, width) < 1:
            return np.zeros((size, size, 3), np.uint8)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        centre, side = centre * size / side, size
    low, high = (np.trunc(centre - side / 2 + cell * side / size) + 1 for cell in (-1, size - 1))
    width, height = (high - low).astype(int)
    middle = (width - 1) / 2, (height - 1) / 2
    # HRNet pads the square, turns it and takes the padding off again, which is to turn it about its middle
    matrix = geometry.about(geometry.rotate(-degrees), middle) @ geometry.shift(*-low)
    cut = cv2.warpAffine(np.ascontiguousarray(image), matrix[:2], (width, height), flags=cv2.INTER_LINEAR)
    smaller = max(width, height) > size
    return cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
