"""Cut a rectangle out of a JPEG without loss: its blocks are copied bit by bit, so that their pixels stay equal.

Only the mean of a block is written anew, because it is coded as the difference from the block before.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .jpeg_scan import MAX_DC_BITS, Blocks, Header, Longs, Unsupported, read_blocks, read_header

MARGIN_PX = 4  # colour is interpolated between neighbours, and the border of a picture has none
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
        chosen = (np.arange(top, bottom)[:, None] * columns + np.arange(left, right)).ravel()
        if not len(chosen):
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
    parts = header.components
    size = sum(one.across * one.down for one in parts)
    chosen = (mcus[:, None] * size + np.arange(size)).ravel()
    component = np.tile(np.repeat(np.arange(len(parts)), [one.across * one.down for one in parts]), len(mcus))
    frame = struct.pack('>BHHB', 8, height, width, len(parts))
    frame += b''.join(struct.pack('>BBB', one.number, one.across << 4 | one.down, one.quantisation) for one in parts)
    table = b'\0' + DC_CODE_COUNTS + bytes(range(MAX_DC_BITS + 1))
    scan = bytes((len(parts),)) + b''.join(bytes((one.number, one.ac_table)) for one in parts) + b'\0\x3f\0'
    segments = _segment(header.frame, frame) + _segment(0xC4, table) + _segment(0xDA, scan)
    return b'\xff\xd8' + header.kept + segments + _coded(blocks, chosen, component) + b'\xff\xd9'


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack('>BBH', 0xFF, marker, 2 + len(body)) + body


def _coded(blocks: Blocks, chosen: Longs, component: Longs) -> bytes:
    """Return the scan of the chosen blocks: for each the code of its mean, then the bits of the other coefficients."""
    words, lengths = _code_means(_differences(blocks.dc[chosen], component))
    start, others = blocks.start[chosen], blocks.end[chosen] - blocks.start[chosen]
    ends = np.cumsum(lengths + others)
    bits = np.empty(-(-int(ends[-1]) // 8) * 8, np.uint8)
    bits[int(ends[-1]) :] = 1  # the last byte is filled with ones
    means_at, which, rank = _ragged(ends - lengths - others, lengths)
    bits[means_at] = (words[which] >> (lengths[which] - 1 - rank)) & 1
    others_at, which, rank = _ragged(ends - others, others)
    bits[others_at] = blocks.bits[start[which] + rank]
    return np.packbits(bits).tobytes().replace(b'\xff', b'\xff\0')


def _differences(means: Longs, component: Longs) -> Longs:
    """Return how much each mean differs from that of the block before in its channel."""
    differences = np.empty_like(means)
    for number in np.unique(component):
        of_channel = component == number
        differences[of_channel] = np.diff(means[of_channel], prepend=0)
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
