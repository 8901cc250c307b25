"""The header of a picture: format, width and height before anything is decoded. Hostile headers are refused."""

import io
import re
import struct
from typing import NamedTuple

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

MAX_READS = 20_000  # that Pillow may need for a header; ordinary ones need some dozens
MAX_PNG_CHUNKS = 1 << 16  # programs write chunks of some kB
MAX_JPEG_SCANS = 100  # progressive files have ten; for each of them the decoder works through the whole picture
MAX_JPEG_MARKERS = 10_000
JPEG_MARKER = re.compile(rb'\xff([^\x00\xff\xd0-\xd7])')  # without those inside a scan
START_OF_SCAN, END_OF_IMAGE = b'\xda', b'\xd9'
FORMATS: dict[str, tuple[re.Pattern[bytes], type[ImageFile]]] = {
    'JPEG': (re.compile(rb'\xff\xd8'), JpegImageFile),
    'PNG': (re.compile(rb'\x89PNG\r\n\x1a\n'), PngImageFile),
    'GIF': (re.compile(rb'GIF8[79]a'), GifImageFile),
    'BMP': (re.compile(rb'BM'), BmpImageFile),
    'WebP': (re.compile(rb'RIFF.{4}WEBP', re.DOTALL), WebPImageFile),
    'TIFF': (re.compile(rb'II\*\0|MM\0\*'), TiffImageFile),
    'PNM': (re.compile(rb'P[1-6][\s#]'), PpmImageFile),
    'JPEG 2000': (re.compile(rb'\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51'), Jpeg2KImageFile),
}


class Header(NamedTuple):
    """The size of a picture as it is stored, before EXIF rotates it."""

    kind: str
    width: int
    height: int


class _LimitedFile(io.BytesIO):
    """The bytes of a file; an endless header is cut off after `MAX_READS` reads."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            raise ValueError(f'its header has more than {MAX_READS} parts')
        return super().read(size)


def read_header(content: bytes) -> Header | None:
    """Return the header of a picture, or None for an unknown format; raise ValueError if the header is damaged."""
    kind = next((kind for kind, (pattern, _) in FORMATS.items() if pattern.match(content)), None)
    if kind is None:
        return None
    if kind == 'PNG':
        return Header(kind, *_png_size(content))
    file = _LimitedFile(content[:4096] if kind == 'PNM' else content)  # a PNM's header is read letter by letter
    width, height = _open(kind, file).size
    if kind == 'JPEG':
        _check_scans(content, file.tell())
    return Header(kind, width, height)


def open_lazily(content: bytes, kind: str) -> ImageFile:
    """Return a picture of a known format that Pillow has not decoded yet.

    `Image.open` is not used: it would warn and raise at a limit of its own on the number of pixels.
    """
    return _open(kind, io.BytesIO(content))


def _open(kind: str, file: io.BytesIO) -> ImageFile:
    try:
        return FORMATS[kind][1](file, '')
    except Image.DecompressionBombError as error:
        raise ValueError(f'a {kind} with too many pixels: {error}') from error
    except Exception as error:  # damaged files raise errors of any class
        raise ValueError(f'a damaged {kind}: {error}') from error


def _png_size(content: bytes) -> tuple[int, int]:
    """Return width and height; OpenCV would allocate gigabytes for a chunk that claims them, so check all lengths."""
    offset, name = 8, b''
    for _ in range(MAX_PNG_CHUNKS):
        if name == b'IEND' or offset + 12 > len(content):
            break
        length, name = struct.unpack_from('>I4s', content, offset)
        offset += length + 12
    if name != b'IEND' or offset > len(content) or content[12:16] != b'IHDR':
        raise ValueError('a PNG that is damaged or cut off')
    width, height = struct.unpack_from('>II', content, 16)
    if not (width and height):
        raise ValueError(f'a PNG of {width} x {height} pixels')
    return width, height


def _check_scans(content: bytes, offset: int) -> None:
    """Refuse a JPEG with too many scans; `offset` is the end of the first scan's header."""
    if content.count(b'\xff' + START_OF_SCAN, offset) < MAX_JPEG_SCANS:
        return
    scans = 1  # count again without what phones store after the end of the image
    for _ in range(MAX_JPEG_MARKERS):
        marker = JPEG_MARKER.search(content, offset)
        if marker is None or marker[1] == END_OF_IMAGE:
            return
        scans += marker[1] == START_OF_SCAN
        if scans > MAX_JPEG_SCANS:
            break
        offset = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2], 'big')
    raise ValueError(f'a JPEG of more than {MAX_JPEG_SCANS} scans or {MAX_JPEG_MARKERS} markers')
