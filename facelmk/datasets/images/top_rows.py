"""Decode the upper rows of a JPEG only. Its rows are coded from top to bottom, so those below a face need no work.

The file is given to the decoder with a smaller height in its header, and without its end: so the decoder stops after
the last row that is wanted, and waits for more bytes instead of reporting those that are left.
"""

import re

import cv2
import numpy as np
from numpy.typing import NDArray

from .usual_jpeg import UsualJpeg

END_OF_IMAGE = b'\xff\xd9'
MARKER = re.compile(rb'\xff[^\0\xff]')  # inside a scan, zero follows each byte of value 255
MARGIN_PX = 4  # rows below the wanted ones: the colour of a row is interpolated between its neighbours
LEAST_SAVED = 0.1  # of the rows; for less it is not worth the copy of the file


def decode_top_rows(content: bytes, header: UsualJpeg, rows: int) -> NDArray[np.uint8] | None:
    """Return the first `rows` rows of a picture, equal to those of the whole one; None for a file to decode whole.

    Such files are those where little is saved, whose EXIF data may turn the picture, with restart markers, that are cut
    off, and with another marker than the end of the image behind the scan.
    """
    height = rows + MARGIN_PX
    if height > header.height * (1 - LEAST_SAVED) or header.restart_interval or header.has_exif:
        return None
    end = MARKER.search(content, header.scan_at + 2)
    if end is None or end[0] != END_OF_IMAGE:  # the decoder would report another marker
        return None
    shorter = bytearray(memoryview(content)[: end.start()])
    shorter[header.height_at : header.height_at + 2] = height.to_bytes(2, 'big')
    try:
        picture = cv2.imdecode(np.frombuffer(shorter, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    is_right = picture is not None and picture.shape == (height, header.width, 3)
    return np.asarray(picture[:rows], np.uint8) if is_right else None
