"""The blocks of a baseline JPEG: where each one lies in the file, and its mean. Nothing is decoded to pixels.

https://www.w3.org/Graphics/JPEG/itu-t81.pdf describes the format.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

KEPT_SEGMENTS = frozenset((0xE0, 0xEE, 0xDB))  # JFIF and Adobe, which choose the colour space, and quantisation
SKIPPED_SEGMENTS = frozenset((*range(0xE1, 0xEE), 0xEF, 0xFE))
HUFFMAN, RESTART, SCAN = 0xC4, 0xDD, 0xDA
SEQUENTIAL = frozenset((0xC0, 0xC1))
END_OF_BLOCK = 128  # more than a block has coefficients
INVALID = 64  # added to the place in a block, it is between a full block and END_OF_BLOCK
MAX_BYTES = 16 << 20  # of a file: finding the blocks takes 30 times as much memory
MAX_DC_BITS = 11
Longs = NDArray[np.int64]


class Unsupported(ValueError):
    """A JPEG that is not baseline, or damaged: it cannot be cut without loss."""


class Component(NamedTuple):
    """A channel: its number, blocks of one MCU in x and y, and the numbers of its tables."""

    number: int
    across: int
    down: int
    quantisation: int
    dc_table: int = 0
    ac_table: int = 0


@dataclass
class Header:
    """What a JPEG says before its scan."""

    width: int = 0
    height: int = 0
    frame: int = 0  # the marker of the size
    components: list[Component] = field(default_factory=list)
    dc_tables: dict[int, list[int]] = field(default_factory=dict)  # of the next 16 bits: size of the value and length
    ac_tables: dict[int, list[int]] = field(default_factory=dict)  # of the next 16 bits: coefficients and length
    kept: bytes = b''  # segments that the cut file repeats
    restart: int = 0  # MCUs between restart markers
    scan: int = 0  # where the coded data begin

    @property
    def mcu(self) -> tuple[int, int]:
        """Width and height of an MCU in pixels."""
        return 8 * max(one.across for one in self.components), 8 * max(one.down for one in self.components)

    @property
    def grid(self) -> tuple[int, int]:
        """How many MCUs there are in x and y."""
        across, down = self.mcu
        return -(-self.width // across), -(-self.height // down)


class Blocks(NamedTuple):
    """All blocks of a scan in their order: their means, and where in `bits` their other coefficients lie."""

    dc: Longs
    start: Longs
    end: Longs
    bits: NDArray[np.uint8]


def read_header(content: bytes) -> Header:
    """Read the segments before the scan of a baseline JPEG with a single scan."""
    header, offset = Header(), 2
    if content[:2] != b'\xff\xd8' or len(content) > MAX_BYTES:
        raise Unsupported('no JPEG, or a large one')
    while True:
        if len(content) < offset + 4 or content[offset] != 0xFF:
            raise Unsupported('bytes between segments')
        marker, length = content[offset + 1], int.from_bytes(content[offset + 2 : offset + 4], 'big')
        body = content[offset + 4 : offset + 2 + length]
        if marker == SCAN:
            _read_scan(header, body)
            header.scan = offset + 2 + length
            return header
        _read_segment(header, marker, body, content[offset : offset + 2 + length])
        offset += 2 + length


def _read_segment(header: Header, marker: int, body: bytes, segment: bytes) -> None:
    if marker in SEQUENTIAL and not header.components:
        precision, header.height, header.width, count = struct.unpack_from('>BHHB', body)
        parts = [body[6 + 3 * i : 9 + 3 * i] for i in range(count)]
        header.components = [Component(number, size >> 4, size & 15, table) for number, size, table in parts]
        header.frame = marker
        if precision != 8 or count not in (1, 3) or not header.width * header.height:
            raise Unsupported('no picture of 1 or 3 channels of 8 bits')
    elif marker == HUFFMAN:
        header.kept += _read_tables(header, body)
    elif marker == RESTART:
        header.restart = int.from_bytes(body, 'big')
    elif marker in KEPT_SEGMENTS:
        header.kept += segment
    elif marker not in SKIPPED_SEGMENTS:
        raise Unsupported(f'segment {marker:02x}')


def _read_tables(header: Header, body: bytes) -> bytes:
    """Read Huffman tables; return those of AC coefficients as segments of their own."""
    kept, offset = b'', 0
    while offset + 17 <= len(body):
        number, counts = body[offset], body[offset + 1 : offset + 17]
        table = body[offset : offset + 17 + sum(counts)]
        symbols = table[17:]
        if number >> 4:
            header.ac_tables[number & 15] = _lookup(counts, symbols, _ac_entry, INVALID << 8)
            kept += struct.pack('>BBH', 0xFF, HUFFMAN, 2 + len(table)) + table
        else:
            header.dc_tables[number & 15] = _lookup(counts, symbols, _dc_entry, 0)
        offset += len(table)
    return kept


def _lookup(counts: bytes, symbols: bytes, entry: Callable[[int, int], int], missing: int) -> list[int]:
    """Return the entry of each sequence of 16 bits that begins with a code; `missing` where none begins."""
    table = [missing] * (1 << 16)
    code, position = 0, 0
    for length, count in enumerate(counts, 1):
        for symbol in symbols[position : position + count]:
            first, number = code << (16 - length), 1 << (16 - length)
            table[first : first + number] = [entry(length, symbol)] * number
            code += 1
        position += count
        code <<= 1
    return table


def _dc_entry(length: int, symbol: int) -> int:
    return symbol << 8 | length if symbol <= MAX_DC_BITS else 0


def _ac_entry(length: int, symbol: int) -> int:
    """Return how many coefficients a code and its value are, and how many bits."""
    zeros, size = symbol >> 4, symbol & 15
    coefficients = zeros + 1 if size or zeros == 15 else END_OF_BLOCK
    return coefficients << 8 | (length + size)


def _read_scan(header: Header, body: bytes) -> None:
    """Add the tables of each component; refuse a scan of some of them, or of some coefficients."""
    count, parts = len(header.components), header.components
    if not parts or len(body) < 4 + 2 * count or body[0] != count or body[1 + 2 * count :] != b'\x00\x3f\x00':
        raise Unsupported('several scans')
    pairs = [(body[1 + 2 * i], body[2 + 2 * i]) for i in range(count)]
    if [number for number, _ in pairs] != [one.number for one in parts]:
        raise Unsupported('components in another order')
    header.components = [
        one._replace(dc_table=tables >> 4, ac_table=tables & 15) for one, (_, tables) in zip(parts, pairs, strict=True)
    ]
    if count == 1:  # a single channel has one block an MCU, whatever its factors say
        header.components = [header.components[0]._replace(across=1, down=1)]
    if not all(one.dc_table in header.dc_tables and one.ac_table in header.ac_tables for one in header.components):
        raise Unsupported('a Huffman table is missing')


def read_blocks(content: bytes, header: Header) -> Blocks:
    """Find all blocks. This is a loop in Python: a photograph of 1024 x 768 takes about a tenth of a second."""
    coded, starts = _without_markers(content, header)
    windows: Any = _windows(coded)
    columns = _walk(header, memoryview(windows), starts)
    dc, start, end = (np.array(column, np.int64) for column in columns)
    if end[-1] > 8 * len(coded):
        raise Unsupported('the scan is cut off')
    return Blocks(dc, start, end, np.unpackbits(coded))


def _without_markers(content: bytes, header: Header) -> tuple[NDArray[np.uint8], list[int]]:
    """Return the coded bytes without stuffing and markers, and where each restart interval begins."""
    data = np.frombuffer(content, np.uint8, offset=header.scan)
    escapes = np.flatnonzero(data[:-1] == 0xFF)
    following = data[escapes + 1]
    is_restart = (following >= 0xD0) & (following <= 0xD7)
    others = escapes[(following != 0) & ~is_restart]
    if not len(others):
        raise Unsupported('no end')
    length = int(others[0])
    inside = escapes < length
    stuffing, restarts = escapes[inside & (following == 0)] + 1, escapes[inside & is_restart]
    keep = np.ones(length, bool)
    keep[stuffing] = keep[restarts] = keep[restarts + 1] = False
    position = np.cumsum(keep)  # of each byte among those that are kept, counted from 1
    return data[:length][keep], [0, *(int(position[restart]) for restart in restarts)]


def _windows(coded: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the next 16 bits at each bit."""
    padded = np.concatenate([coded, np.zeros(3, np.uint8)]).astype(np.uint32)
    three = padded[:-2] << 16 | padded[1:-1] << 8 | padded[2:]
    return ((three[:, None] >> np.arange(8, 0, -1, dtype=np.uint32)) & 0xFFFF).astype(np.uint16).ravel()


def _walk(header: Header, bits: memoryview, starts: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Walk through the scan: the mean of each block, and where the bits of its other coefficients begin and end."""
    kinds = [
        (i, header.dc_tables[one.dc_table], header.ac_tables[one.ac_table])
        for i, one in enumerate(header.components)
        for _ in range(one.across * one.down)
    ]
    count = header.grid[0] * header.grid[1]
    interval = header.restart or count
    means: list[int] = []
    begins: list[int] = []
    ends: list[int] = []
    position, previous = 0, [0] * len(header.components)
    for mcu in range(count):
        if mcu % interval == 0:
            position, previous = 8 * starts[mcu // interval], [0] * len(header.components)
        for component, dc, ac in kinds:
            step = dc[bits[position]]
            size = step >> 8
            position += step & 255
            if size:
                value = bits[position] >> (16 - size)
                previous[component] += value if value >> (size - 1) else value - (1 << size) + 1
                position += size
            means.append(previous[component])
            begins.append(position)
            place = 1 if step else INVALID
            while place < 64:
                step = ac[bits[position]]
                position += step & 255
                place += step >> 8
            if 64 < place < END_OF_BLOCK:
                raise Unsupported('no Huffman code, or a block of more than 64 coefficients')
            ends.append(position)
    return means, begins, ends
