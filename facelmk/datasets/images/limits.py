"""What a picture's first bytes say before anything is decoded: its format, width, height, and which way is up."""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

FLOATS = 3  # TIFF's SampleFormat
MARKERS = 10_000  # of a JPEG; real ones have ten, and a file of nothing else would keep us for minutes
MARKER = re.compile(rb'\xff([^\x00\xff\xd0-\xd7])')  # without those that stand in a scan
SCANS = 100  # of a JPEG; progressive ones have ten, and each costs the decoder the whole picture, however short it is
SCAN, END, ALONE = 0xDA, 0xD9, (0x01, 0xD8)  # JPEG's markers; those alone have no length
CHUNKS = 1 << 16  # of a PNG or WebP; writers cut them into some kB each
ENTRIES = 4096  # of a TIFF's directory: as many as libtiff takes
SIZES = {1: 1, 3: 2, 4: 4}  # bytes of a number by TIFF's type: byte, short, long
WIDTH, HEIGHT, ORIENTATION, EXTRA_SAMPLES, SAMPLE_FORMAT = 256, 257, 274, 338, 339  # TIFF's tags
ALPHA = 2  # TIFF's ExtraSamples: alpha that has not been multiplied into the colours
GAP = rb'(?:\s|#[^\n\r]*[\n\r])+'
PNM = re.compile(rb'P[1-6]' + GAP + rb'(\d{1,9})' + GAP + rb'(\d{1,9})\s')


class Header(NamedTuple):
    """A picture as it is stored; `orientation` is EXIF's, where OpenCV leaves it to us; `alpha` is TIFF's."""

    kind: str
    width: int
    height: int
    orientation: int = 1
    floats: bool = False
    alpha: bool = False


def read_header(content: bytes) -> Header | None:
    """The header of a picture; None where the format is not known, ValueError where the header is damaged."""
    found = next((read for magic, read in READERS.items() if content.startswith(magic)), None)
    try:
        header = found(content) if found else None
    except (struct.error, IndexError) as error:
        raise ValueError('it ends too early') from error
    if header and not (header.width > 0 and header.height > 0):
        raise ValueError(f'its header says {header.width} x {header.height} pixels')
    return header


def _png(content: bytes) -> Header:
    if content[12:16] != b'IHDR':
        raise ValueError('a PNG that does not begin with IHDR')
    place = 8
    for _ in range(CHUNKS):  # OpenCV would take memory for whatever length a broken chunk claims, for half a minute
        length, name = struct.unpack_from('>I4s', content, place)
        place += length + 12
        if name == b'IEND' or place > len(content):
            break
    if name != b'IEND' or place > len(content):
        raise ValueError('a PNG that is damaged or cut off')
    return Header('PNG', *struct.unpack_from('>II', content, 16))


def _jpeg(content: bytes) -> Header:
    frame, scans = None, 0
    for marker, place in _markers(content):
        scans += marker == SCAN
        if scans > SCANS:
            raise ValueError(f'a JPEG of more than {SCANS} scans')
        if frame is None and 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # those three are tables
            frame = struct.unpack_from('>HH', content, place + 3)
            if content.count(b'\xff\xda', place) <= SCANS:  # else perhaps others: telephones put a film behind it
                break
        if frame is None and marker == SCAN:
            break
    if frame is None:
        raise ValueError('a JPEG without a frame')
    return Header('JPEG', width=frame[1], height=frame[0])


def _markers(content: bytes) -> Iterator[tuple[int, int]]:
    """A JPEG's markers up to its end, each with the place behind it."""
    place = 2
    for _ in range(MARKERS):
        found = MARKER.search(content, place)
        if found is None or found[1][0] == END:
            return
        place = found.end()
        yield found[1][0], place
        place += 0 if found[1][0] in ALONE else struct.unpack_from('>H', content, place)[0]
    raise ValueError(f'a JPEG of more than {MARKERS} markers')


def _gif(content: bytes) -> Header:
    return Header('GIF', *struct.unpack_from('<HH', content, 6))


def _bmp(content: bytes) -> Header:
    old = struct.unpack_from('<I', content, 14)[0] == 12
    width, height = struct.unpack_from('<HH' if old else '<ii', content, 18)
    return Header('BMP', width, abs(height))  # a negative height: stored from the top


def _webp(content: bytes) -> Header | None:
    kind = content[8:16]
    if kind == b'WEBPVP8 ':
        width, height = struct.unpack_from('<HH', content, 26)
        return Header('WebP', width & 0x3FFF, height & 0x3FFF)
    if kind == b'WEBPVP8L':
        (bits,) = struct.unpack_from('<I', content, 21)
        return Header('WebP', (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b'WEBPVP8X':
        flags, wide, high = (*struct.unpack_from('<B', content, 20), content[24:27], content[27:30])
        if len(high) < 3:
            raise ValueError('it ends too early')
        orientation = _webp_orientation(content) if flags & 8 else 1
        return Header('WebP', int.from_bytes(wide, 'little') + 1, int.from_bytes(high, 'little') + 1, orientation)
    return None


def _webp_orientation(content: bytes) -> int:
    place = 12
    for _ in range(CHUNKS):
        if place + 8 > len(content):
            break
        name, size = struct.unpack_from('<4sI', content, place)
        if name == b'EXIF':
            note = content[place + 8 : place + 8 + size].removeprefix(b'Exif\0\0')
            try:
                return _directory(note).get(ORIENTATION, 1)
            except (struct.error, ValueError):
                return 1  # a broken note says nothing
        place += 8 + size + size % 2
    return 1


def _tiff(content: bytes) -> Header:
    tags = _directory(content)
    return Header(
        'TIFF',
        tags.get(WIDTH, 0),
        tags.get(HEIGHT, 0),
        floats=tags.get(SAMPLE_FORMAT) == FLOATS,
        alpha=tags.get(EXTRA_SAMPLES) == ALPHA,
    )


def _directory(content: bytes) -> dict[int, int]:
    found: dict[int, int] = {}
    for tag, value in _tags(content):
        found.setdefault(tag, value)  # of double ones the first counts, as it does for libtiff
    return found


def _tags(content: bytes) -> Iterator[tuple[int, int]]:
    """(tag, first number) of the first directory of a TIFF file, or of an EXIF note, which is one."""
    order = {b'II': '<', b'MM': '>'}.get(content[:2])
    if order is None:
        raise ValueError('no byte order')
    (start,) = struct.unpack_from(order + 'I', content, 4)
    (count,) = struct.unpack_from(order + 'H', content, start)
    if count > ENTRIES:
        raise ValueError(f'a directory of {count} entries')
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + 'HHI', content, place)
        if kind not in SIZES:
            yield tag, 0  # which stands for it: libtiff takes a width in signed numbers, too
            continue
        inside = SIZES[kind] * number <= 4
        at = place + 8 if inside else struct.unpack_from(order + 'I', content, place + 8)[0]
        yield tag, struct.unpack_from(order + {1: 'B', 3: 'H', 4: 'I'}[kind], content, at)[0]


def _pnm(content: bytes) -> Header | None:
    found = PNM.match(content[:4096])
    return Header('PNM', int(found[1]), int(found[2])) if found else None


def _jpeg2000(content: bytes) -> Header:
    place = content.find(b'\xff\x4f\xff\x51')  # where the picture itself begins, and its sizes
    right, low, left, top = struct.unpack_from('>IIII', content, place + 8 if place >= 0 else len(content))
    return Header('JPEG 2000', right - left, low - top)


READERS = {
    b'\xff\xd8': _jpeg,
    b'\x89PNG\r\n\x1a\n': _png,
    b'GIF87a': _gif,
    b'GIF89a': _gif,
    b'BM': _bmp,
    b'RIFF': _webp,
    b'II*\0': _tiff,
    b'MM\0*': _tiff,
    b'P': _pnm,
    b'\0\0\0\x0cjP  \r\n\x87\n': _jpeg2000,
    b'\xff\x4f\xff\x51': _jpeg2000,
}
FORMATS = 'JPEG, PNG, GIF, BMP, WebP, TIFF, PNM, JPEG 2000'
