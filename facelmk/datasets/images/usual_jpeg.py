"""The header of a usual JPEG, read in a few microseconds: most pictures of data sets are usual JPEGs."""

import struct
from typing import NamedTuple

PLAIN_SEGMENTS = frozenset((*range(0xE0, 0xF0), 0xFE, 0xDB, 0xC4, 0xDD))  # APP, comment, and tables
SEQUENTIAL = frozenset((0xC0, 0xC1))
SCAN, RESTARTS, APP1 = 0xDA, 0xDD, 0xE1
XMP = b'http://ns.adobe.com/'  # the other usual content of APP1
MAX_SEGMENTS = 100


class UsualJpeg(NamedTuple):
    """The size in the header, where its height stands in the file, where the scan begins, and its restart interval.

    With `has_exif`, EXIF data may turn the picture: OpenCV reads them in each segment APP1, whatever its name is.
    """

    width: int
    height: int
    height_at: int
    scan_at: int
    restart_interval: int
    has_exif: bool


def read_usual_jpeg(content: bytes) -> UsualJpeg | None:
    """Return the header of a JPEG whose only scan contains all channels; None for every other file.

    The decoder ends after the one scan of such a file, so nothing behind it has to be counted. Fill bytes, a second
    size and anything else that two parsers could read in two ways are left to the thorough check.
    """
    offset, frame, restart_interval, has_exif = 2, None, 0, False
    for _ in range(MAX_SEGMENTS):
        if len(content) < offset + 10 or content[offset] != 0xFF:
            return None
        marker, length = content[offset + 1], int.from_bytes(content[offset + 2 : offset + 4], 'big')
        if marker == SCAN:
            if frame is None or content[offset + 4] != frame[2]:
                return None
            return UsualJpeg(frame[1], frame[0], frame[3], offset, restart_interval, has_exif)
        if marker in SEQUENTIAL and frame is None:
            height, width, channels = struct.unpack_from('>HHB', content, offset + 5)
            frame = (height, width, channels, offset + 5) if width and height else None
        elif marker not in PLAIN_SEGMENTS:
            return None
        elif marker == APP1:
            has_exif |= not content.startswith(XMP, offset + 4)
        elif marker == RESTARTS:
            restart_interval = int.from_bytes(content[offset + 4 : offset + 6], 'big')
        offset += 2 + length
    return None
