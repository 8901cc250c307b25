"""How the pixels of a part are written: raw, or packed as a JPEG that is cut without loss, or else as a PNG."""

from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..images.decode import decode
from .index import JPEG, PNG, RAW, About
from .jpeg_cut import JpegCutter
from .jpeg_scan import Unsupported
from .part import EMPTY, Box, Picture

RESIZED_QUALITY = 95


class Written(NamedTuple):
    """The bytes of a part, how they are written, and where their picture begins in the photograph; and its size."""

    content: bytes
    form: int
    left: int
    top: int
    rows: int
    columns: int


class Photograph:
    """A decoded picture file, from which parts are written."""

    def __init__(self, content: bytes, name: str, max_pixels: int | None = None) -> None:
        self.content = content
        self.image = decode(content, name, max_pixels)
        self.height, self.width = self.image.shape[:2]

    def write(self, box: Box, about: About) -> Written:
        """Write the part inside a box; an empty one has no bytes."""
        x1, y1, x2, y2 = box
        pixels = self.image[y1:y2, x1:x2]
        if box == EMPTY:
            return Written(b'', RAW, 0, 0, 0, 0)
        if about.resize and max(pixels.shape) > about.resize:
            pixels = _reduced(pixels, about.resize)
            content, form = _encode(pixels, '.jpg', RESIZED_QUALITY) if about.kind == 'packed' else (b'', RAW)
            return Written(content or pixels.tobytes(), form, x1, y1, *pixels.shape[:2])
        if about.kind == 'raw':
            return Written(pixels.tobytes(), RAW, x1, y1, *pixels.shape[:2])
        return self._cut(box) or Written(*_encode(pixels, '.png', 1), x1, y1, *pixels.shape[:2])

    def _cut(self, box: Box) -> Written | None:
        """Cut a part of the JPEG; None if the file is no baseline JPEG, or if its pixels would differ."""
        if self._cutter is None:
            return None
        x1, y1, x2, y2 = box
        try:
            content, (left, top) = self._cutter.cut(box)
        except Unsupported:
            return None
        cut = decode_form(content, JPEG, 0, 0)
        if cut is None or not np.array_equal(cut[y1 - top : y2 - top, x1 - left : x2 - left], self.image[y1:y2, x1:x2]):
            return None  # such as a picture that its EXIF data turn
        return Written(content, JPEG, left, top, *cut.shape[:2])

    @cached_property
    def _cutter(self) -> JpegCutter | None:
        try:
            cutter = JpegCutter(self.content)
            cutter.blocks  # noqa: B018, this finds out whether the file is damaged
        except Unsupported:
            return None
        return cutter


def _reduced(pixels: Picture, longest: int) -> Picture:
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encode(pixels: Picture, ending: str, setting: int) -> tuple[bytes, int]:
    options = [cv2.IMWRITE_JPEG_QUALITY, setting] if ending == '.jpg' else [cv2.IMWRITE_PNG_COMPRESSION, setting]
    _, content = cv2.imencode(ending, pixels, options)
    return content.tobytes(), JPEG if ending == '.jpg' else PNG


def decode_form(content: bytes | NDArray[np.uint8], form: int, rows: int, columns: int) -> Picture | None:
    """Return the picture that was written, or None if it cannot be decoded."""
    data = np.frombuffer(content, np.uint8)
    if form == RAW:
        return data.reshape(rows, columns, 3)
    try:
        picture: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return picture
