"""The size of a usual JPEG, read in a few microseconds: most pictures of data sets are usual JPEGs."""

import struct

PLAIN_SEGMENTS = frozenset((*range(0xE0, 0xF0), 0xFE, 0xDB, 0xC4, 0xDD))  # APP, comment, and tables
SEQUENTIAL = frozenset((0xC0, 0xC1))
SCAN = 0xDA
MAX_SEGMENTS = 100


def usual_jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG whose only scan contains all channels; None for every other file.

    The decoder ends after the one scan of such a file, so nothing behind it has to be counted. Fill bytes, a second
    size and anything else that two parsers could read in two ways are left to the thorough check.
    """
    offset, size, channels = 2, None, 0
    for _ in range(MAX_SEGMENTS):
        if len(content) < offset + 10 or content[offset] != 0xFF:
            return None
        marker, length = content[offset + 1], int.from_bytes(content[offset + 2 : offset + 4], 'big')
        if marker == SCAN:
            return size if size and content[offset + 4] == channels else None
        if marker in SEQUENTIAL and size is None:
            height, width, channels = struct.unpack_from('>HHB', content, offset + 5)
            size = (width, height) if width and height else None
        elif marker not in PLAIN_SEGMENTS:
            return None
        offset += 2 + length
    return None
