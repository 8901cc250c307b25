"""A part of a photograph that is decoded when its crop is known, and then only the rows of the crop."""

from collections.abc import Callable

import numpy as np

from ..images.top_rows import decode_top_rows
from ..images.usual_jpeg import read_usual_jpeg
from .part import Box, Picture, PicturePart

Decode = Callable[[int, int], tuple[Picture, int, int]]
_NOTHING = np.empty((0, 0, 3), np.uint8)


class LatePart(PicturePart):
    """The pixels of `box`, not yet decoded.

    `decode` gets the first and the last row that are needed, without the last one, and returns pixels that contain
    them and where these begin in the photograph: x and y.
    """

    def __init__(self, width: int, height: int, box: Box, decode: Decode, read: Callable[[], Picture]) -> None:
        super().__init__(width, height, box, _NOTHING, read)
        self.decode = decode

    @property
    def is_exact(self) -> bool:
        return True

    def picture(self, box: Box) -> Picture:
        pixels, x, y = self.decode(box[1], box[3])
        rows, columns = pixels.shape[:2]
        if (rows, columns) == (self.height, self.width):
            return pixels
        return PicturePart(self.width, self.height, (x, y, x + columns, y + rows), pixels, self.read).picture(box)


def late_photograph(content: bytes, most_pixels: int, read: Callable[[], Picture]) -> LatePart | None:
    """Return a whole picture file as a part; None for a file that must be decoded whole, or refused.

    `read` decodes all of it.
    """
    header = read_usual_jpeg(content) if content[:2] == b'\xff\xd8' else None
    if header is None or header.width * header.height > most_pixels or header.has_exif:
        return None
    usual, box = header, (0, 0, header.width, header.height)

    def decode(first: int, last: int) -> tuple[Picture, int, int]:
        pixels = decode_top_rows(content, usual, last)
        return (read() if pixels is None else pixels), 0, 0

    return LatePart(header.width, header.height, box, decode, read)
