"""A part of a photograph, used in place of the whole as long as a crop needs no other pixel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import geometry

Box = tuple[int, int, int, int]  # x1, y1, x2, y2 in whole pixels, without the last ones
EMPTY: Box = (0, 0, 0, 0)
Picture = NDArray[np.uint8]
_BLACK = bytes(1)
_canvas = np.empty(0, np.uint8)


@dataclass
class PicturePart:
    """The pixels of `box`, cut out of a photograph of `width` x `height` pixels.

    `pixels` (h, w, 3) has the size of the box, or is smaller if the part was reduced. `read` reads the photograph.
    With a `divisor`, a pixel of a reduced part is a square of so many pixels of the photograph.
    """

    width: int
    height: int
    box: Box
    pixels: Picture
    read: Callable[[], Picture]
    divisor: int | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the pixels are those of the photograph."""
        x1, y1, x2, y2 = self.box
        return self.pixels.shape[:2] == (y2 - y1, x2 - x1)

    @property
    def black(self) -> Picture:
        """A black picture of the size of the photograph, which needs no memory: for steps that ask for its shape."""
        return np.ndarray((self.height, self.width, 3), np.uint8, _BLACK, strides=(0, 0, 0))

    @property
    def to_photo(self) -> geometry.Matrix:
        """The matrix from the pixels of the part to those of the photograph."""
        x1, y1, x2, y2 = self.box
        x, y = (x2 - x1) / self.pixels.shape[1], (y2 - y1) / self.pixels.shape[0]
        if self.divisor is not None:  # the last pixels of a row may lie partly outside
            x = y = self.divisor
        return geometry.shift(x1 - 0.5, y1 - 0.5) @ geometry.scale(x, y) @ geometry.shift(0.5, 0.5)

    def covers(self, box: Box) -> bool:
        """Whether all pixels of a box are there."""
        return covers(self.box, box)

    def picture(self, box: Box) -> Picture:
        """Return a picture of the size of the photograph that equals it within a box; elsewhere it holds anything.

        So a crop is computed with the same numbers as from the photograph. The next call writes into the same memory.
        """
        image = _blank(self.height, self.width)
        x1, y1, x2, y2 = box
        left, top = self.box[:2]
        image[y1:y2, x1:x2] = self.pixels[y1 - top : y2 - top, x1 - left : x2 - left]
        return image


def uses_parts(transform: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the `transform` of a step that may give or use a part; a subclass that replaces it is not marked."""
    transform.uses_parts = True  # type: ignore[attr-defined]
    return transform


def covers(outer: Box, inner: Box) -> bool:
    """Return whether a box contains another one."""
    return inner == EMPTY or (
        outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
    )


def whole_picture(sample: dict[str, Any]) -> Picture:
    """Return the photograph of a sample, which may hold a part of it only."""
    part: PicturePart | None = sample.get('part')
    image: Picture = sample['image'] if part is None else part.read()
    return image


def _blank(height: int, width: int) -> Picture:
    """Return memory for a picture, the same for all calls of this process."""
    global _canvas
    if _canvas.size < height * width * 3:
        _canvas = np.empty(height * width * 3, np.uint8)
    return _canvas[: height * width * 3].reshape(height, width, 3)
