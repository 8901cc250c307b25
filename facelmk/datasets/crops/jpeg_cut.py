"""Cut a rectangle out of a JPEG without loss: its blocks are copied bit by bit, so that their pixels stay equal.

Only the mean of a block is written anew, because it is coded as the difference from the block before. Each row of MCUs
begins without such a difference, so that it can be decoded alone.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..images.top_rows import END_OF_IMAGE, MARGIN_PX
from .jpeg_rows import RowTable, join_rows
from .jpeg_scan import HUFFMAN, MAX_DC_BITS, RESTART, SCAN, Blocks, Header, Longs, Unsupported, read_blocks, read_header

START_OF_IMAGE = b'\xff\xd8'
HEIGHT_IN_FRAME = 5  # after marker, length and precision
Box = tuple[int, int, int, int]
# a code for each size of a value, of the lengths of table K.3: they fit every picture of 8 bits
DC_CODE_COUNTS = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))


class JpegCutter:
    """Cuts rectangles out of one JPEG; raises `Unsupported` for a file that is not baseline."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        with _translate_damage():
            self.header = read_header(content)

    @cached_property
    def blocks(self) -> Blocks:
        """All blocks of the file; the first cut finds them."""
        with _translate_damage():
            return read_blocks(self.content, self.header)

    def cut(self, box: Box) -> tuple[bytes, tuple[int, int]]:
        """Return the file of whole MCUs around the box x1, y1, x2, y2 in pixels, and its left upper corner."""
        header, (across, down) = self.header, self.header.mcu
        columns, rows = header.grid
        left, top = max(box[0] - MARGIN_PX, 0) // across, max(box[1] - MARGIN_PX, 0) // down
        right, bottom = min(-(-(box[2] + MARGIN_PX) // across), columns), min(-(-(box[3] + MARGIN_PX) // down), rows)
        chosen = np.arange(top, bottom)[:, None] * columns + np.arange(left, right)
        if not chosen.size:
            raise Unsupported('an empty box')
        width = min(right * across, header.width) - left * across
        height = min(bottom * down, header.height) - top * down
        return _file(header, self.blocks, chosen, width, height), (left * across, top * down)


@contextmanager
def _translate_damage() -> Iterator[None]:
    """Turn what damaged numbers and tables cause into Unsupported."""
    try:
        yield
    except (ValueError, IndexError, KeyError, ArithmeticError, struct.error) as error:
        raise error if isinstance(error, Unsupported) else Unsupported(str(error)) from error


def _file(header: Header, blocks: Blocks, mcus: Longs, width: int, height: int) -> bytes:
    """Return the file of rows of MCUs; `mcus` (rows, columns) are their numbers in the whole picture."""
    parts = header.components
    size = sum(one.across * one.down for one in parts)
    chosen = (mcus[..., None] * size + np.arange(size)).reshape(len(mcus), -1)
    component = np.tile(np.repeat(np.arange(len(parts)), [one.across * one.down for one in parts]), mcus.shape[1])
    rows = _coded(blocks, chosen, component)
    segments = _segments(header, width, height, mcus.shape[1])
    ends = (np.cumsum([len(row) + 2 for row in rows]) - 2).tolist()
    table = RowTable(header.mcu[1], height, 0, 0, ends)
    start = len(START_OF_IMAGE) + len(table.to_bytes()) + len(header.kept)
    table = table._replace(height_at=start + HEIGHT_IN_FRAME, data_at=start + len(segments))
    return START_OF_IMAGE + table.to_bytes() + header.kept + segments + join_rows(rows) + END_OF_IMAGE


def _segments(header: Header, width: int, height: int, interval: int) -> bytes:
    """Return the segments from the size of the picture to the beginning of its scan."""
    parts = header.components
    frame = struct.pack('>BHHB', 8, height, width, len(parts))
    frame += b''.join(struct.pack('>BBB', one.number, one.across << 4 | one.down, one.quantisation) for one in parts)
    table = b'\0' + DC_CODE_COUNTS + bytes(range(MAX_DC_BITS + 1))
    scan = bytes((len(parts),)) + b''.join(bytes((one.number, one.ac_table)) for one in parts) + b'\0\x3f\0'
    segments = ((header.frame, frame), (HUFFMAN, table), (RESTART, struct.pack('>H', interval)), (SCAN, scan))
    return b''.join(_segment(marker, body) for marker, body in segments)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack('>BBH', 0xFF, marker, 2 + len(body)) + body


def _coded(blocks: Blocks, chosen: Longs, component: Longs) -> list[bytes]:
    """Return the coded rows of the chosen blocks (rows, blocks of a row).

    A block is the code of its mean, then the bits of its other coefficients.
    """
    words, lengths = _code_means(_differences(blocks.dc[chosen], component).ravel())
    start, others = blocks.start[chosen].ravel(), (blocks.end[chosen] - blocks.start[chosen]).ravel()
    bytes_of_row = -(-(lengths + others).reshape(chosen.shape).sum(1) // 8)
    row_begins = np.cumsum(bytes_of_row) - bytes_of_row
    ends = np.cumsum((lengths + others).reshape(chosen.shape), 1) + 8 * row_begins[:, None]
    bits = np.ones(8 * int(bytes_of_row.sum()), np.uint8)  # the last byte of a row is filled with ones
    means_at, which, rank = _ragged(ends.ravel() - lengths - others, lengths)
    bits[means_at] = (words[which] >> (lengths[which] - 1 - rank)) & 1
    others_at, which, rank = _ragged(ends.ravel() - others, others)
    bits[others_at] = blocks.bits[start[which] + rank]
    packed = np.packbits(bits)
    return [row.tobytes().replace(b'\xff', b'\xff\0') for row in np.split(packed, row_begins[1:])]


def _differences(means: Longs, component: Longs) -> Longs:
    """Return how much each mean (rows, blocks) differs from that of the block before in its channel and row."""
    differences = np.empty_like(means)
    for number in np.unique(component):
        of_channel = component == number
        differences[:, of_channel] = np.diff(means[:, of_channel], axis=1, prepend=0)
    return differences


def _code_means(differences: Longs) -> tuple[Longs, Longs]:
    """Return the code of each difference with its value, and the length of both in bits."""
    sizes = np.ceil(np.log2(np.abs(differences) + 1)).astype(np.int64)
    if sizes.max() > MAX_DC_BITS:
        raise Unsupported('a mean is out of range')
    codes, code_lengths = _dc_codes()
    values = np.where(differences < 0, differences + (1 << sizes) - 1, differences)
    return codes[sizes] << sizes | values, code_lengths[sizes] + sizes


def _dc_codes() -> tuple[Longs, Longs]:
    """Return the code of each size and its length."""
    lengths = np.repeat(np.arange(1, 17), np.frombuffer(DC_CODE_COUNTS, np.uint8))
    codes, code = [], 0
    for last, length in zip((lengths[0], *lengths[:-1]), lengths, strict=True):
        code <<= int(length - last)
        codes.append(code)
        code += 1
    return np.array(codes), lengths


def _ragged(starts: Longs, lengths: Longs) -> tuple[Longs, NDArray[np.intp], Longs]:
    """Return the positions of runs, which begin at `starts`, and for each the number of its run and its rank in it."""
    which = np.repeat(np.arange(len(starts)), lengths)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return starts[which] + rank, which, rank
