"""Decode some rows of a JPEG that was cut: each row of its MCUs can be decoded alone, and a table says where it begins.

A restart marker ends each row of MCUs, so nothing is coded as a difference from the row before. The table is the first
segment of the file; other programs skip it.
"""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..images.top_rows import END_OF_IMAGE, MARGIN_PX

SEGMENT = b'\xff\xef'  # for any use, the last of sixteen
NAME = b'rows'
FIXED = struct.Struct('>2x2s2x4sBHIIH')  # the start of a file with a table
FIRST_RESTART, RESTARTS = 0xD0, 8  # markers are numbered from 0 to 7, again and again


class RowTable(NamedTuple):
    """Where things stand in a file: the height in its header, its coded data, and in these the end of each row."""

    mcu_height: int
    height: int  # of the picture
    height_at: int
    data_at: int
    ends: list[int]

    def to_bytes(self) -> bytes:
        """Return the segment."""
        ends = np.array(self.ends, '>u4').tobytes()
        body = NAME + struct.pack('>BHIIH', *self[:4], len(self.ends)) + ends
        return SEGMENT + struct.pack('>H', 2 + len(body)) + body


def join_rows(rows: Sequence[bytes]) -> bytes:
    """Return the coded data of a scan whose rows of MCUs are `rows`."""
    ends = [bytes((0xFF, FIRST_RESTART + i % RESTARTS)) for i in range(len(rows) - 1)]
    return b''.join(row + end for row, end in zip(rows, [*ends, b''], strict=True))


def read_row_table(content: NDArray[np.uint8]) -> RowTable | None:
    """Return the table of a file; None if it has none, or one that does not fit the file."""
    if len(content) < FIXED.size:
        return None
    segment, name, step, height, height_at, data_at, count = FIXED.unpack(content[: FIXED.size].tobytes())
    if (segment, name) != (SEGMENT, NAME) or len(content) < FIXED.size + 4 * count:
        return None
    ends = np.frombuffer(content[FIXED.size : FIXED.size + 4 * count].tobytes(), '>u4').tolist()
    table = RowTable(step, height, height_at, data_at, ends)
    begins = [0, *(end + 2 for end in ends)]  # behind restart markers
    fits = all(begin < end for begin, end in zip(begins, ends, strict=False)) and table.height_at + 2 <= table.data_at
    fits = fits and step * (count - 1) < height <= step * count
    return table if fits and count and table.data_at + ends[-1] <= len(content) else None


def decode_rows(content: NDArray[np.uint8], table: RowTable, first: int, last: int) -> tuple[Any, int]:
    """Return pixels that contain the rows from `first` to `last` of a picture, and the row in which they begin.

    The pixels are None if the file is damaged.
    """
    step, count = table.mcu_height, len(table.ends)
    low = min(max(first - MARGIN_PX, 0) // step, count - 1)
    high = min(max(-(-(last + MARGIN_PX) // step), low + 1), count)
    height = min(high * step, table.height) - low * step
    try:
        pixels: Any = cv2.imdecode(_file(content, table, low, high, height), cv2.IMREAD_COLOR)
    except (cv2.error, ValueError):
        return None, 0
    return (pixels if pixels is not None and len(pixels) == height else None), low * step


def _file(content: NDArray[np.uint8], table: RowTable, low: int, high: int, height: int) -> NDArray[np.uint8]:
    """Return the file of the rows of MCUs from `low` to `high`, which has this height."""
    begins = [0, *(end + 2 for end in table.ends)]  # behind restart markers
    data = content[table.data_at + begins[low] : table.data_at + table.ends[high - 1]]
    file = np.concatenate([content[: table.data_at], data, np.frombuffer(END_OF_IMAGE, np.uint8)])
    file[table.height_at : table.height_at + 2] = height >> 8, height & 255
    markers = np.array(begins[low + 1 : high], np.intp) - begins[low] + table.data_at - 1
    file[markers] = FIRST_RESTART + np.arange(len(markers)) % RESTARTS
    return file
