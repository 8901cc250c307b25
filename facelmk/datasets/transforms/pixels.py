"""The pixels of a crop: resampled by one matrix or, to repeat the original HRNet, cut in whole pixels and resized.

Nothing here needs torch.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike

from ... import geometry

MOST_PX = 32_766  # of a side: OpenCV's warps take no larger picture


def cut_integer(image: np.ndarray, centre: ArrayLike, side: float, size: int, degrees: float = 0.0) -> np.ndarray:
    """Return the crop (size, size, 3) of the square with `side` pixels around `centre`, black outside the picture.

    If the square has at least twice the side of the crop, the whole picture is first reduced by side / size. HRNet
    computes corners in 1-based pixels and truncates them towards zero, so its crop lies a fraction of a pixel beside
    the nominal map, which its targets and decoding use. Its resizing also stretches each crop from black to white;
    this step is left out.
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
    # HRNet pads the square, rotates it and removes the padding: this is the same as rotating it about its middle
    matrix = geometry.about(geometry.rotate(-degrees), middle) @ geometry.shift(*-low)
    cut = warp_pixels(image, matrix, (width, height))
    shrinks = max(width, height) > size
    return cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def resample(image: np.ndarray, warp: np.ndarray, size: int) -> np.ndarray:
    """Return the crop (size, size, 3) that `warp` (3, 3) cuts out of a photograph; it is black outside the picture."""
    return warp_pixels(image, warp, (size, size))


def warp_pixels(image: np.ndarray, warp: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return what `warp` (3, 3) moves into a picture of this width and height, black where nothing is."""
    if max(image.shape[:2]) > MOST_PX:
        image, warp = _shown_part(image, warp, size)
    if not image.flags['C_CONTIGUOUS']:  # OpenCV needs eleven times as long for a mirrored view
        image = np.ascontiguousarray(image)
    return cv2.warpAffine(image, warp[:2], size, flags=cv2.INTER_LINEAR)


def _shown_part(image: np.ndarray, warp: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the part of a picture that a crop shows, and the matrix from it.

    Where even that part is too large for OpenCV, only every second or third pixel is kept: a crop shows fewer of them.
    """
    (width, height), sides = size, image.shape[1::-1]
    corners = geometry.apply(geometry.invert(warp), [[0, 0], [width, 0], [0, height], [width, height]])
    low = np.clip(np.floor(corners.min(0)) - 2, 0, np.subtract(sides, 1)).astype(int)
    high = np.clip(np.ceil(corners.max(0)) + 3, low + 1, sides).astype(int)
    step = -(-int((high - low).max()) // MOST_PX)
    part = image[low[1] : high[1] : step, low[0] : high[0] : step]
    return part, warp @ geometry.shift(*low) @ geometry.scale(step)
