"""The header of a picture: format, width and height before anything is decoded. Hostile headers are refused."""

import io
import re
import struct
from typing import NamedTuple

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL.ImageFile import ImageFile

from .usual_jpeg import read_usual_jpeg

MAX_READS = 20_000  # that Pillow may need for a header; ordinary ones need some dozens
MAX_PNG_CHUNKS = 1 << 16  # programs write chunks of some kB
MAX_JPEG_SCANS = 100  # progressive files have ten; for each of them the decoder works through the whole picture
MAX_JPEG_MARKERS = 10_000
JPEG_MARKER = re.compile(rb'\xff([^\x00\xff\xd0-\xd7])')  # without those inside a scan
START_OF_SCAN, END_OF_IMAGE = b'\xda', b'\xd9'
FORMATS: dict[str, tuple[bytes, type[ImageFile]]] = {  # how a file begins, and Pillow's parser of it
    'JPEG': (rb'\xff\xd8', JpegImagePlugin.JpegImageFile),
    'PNG': (rb'\x89PNG\r\n\x1a\n', PngImagePlugin.PngImageFile),
    'GIF': (rb'GIF8[79]a', GifImagePlugin.GifImageFile),
    'BMP': (rb'BM', BmpImagePlugin.BmpImageFile),
    'WebP': (rb'RIFF[\0-\xff]{4}WEBP', WebPImagePlugin.WebPImageFile),
    'TIFF': (rb'II\*\0|MM\0\*', TiffImagePlugin.TiffImageFile),
    'PNM': (rb'P[1-6][\s#]', PpmImagePlugin.PpmImageFile),
    'JPEG 2000': (rb'\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51', Jpeg2KImagePlugin.Jpeg2KImageFile),
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
    kind = next((kind for kind, (beginning, _) in FORMATS.items() if re.match(beginning, content)), None)
    if kind is None:
        return None
    if kind == 'PNG':
        return Header(kind, *_png_size(content))
    if kind == 'JPEG' and (usual := read_usual_jpeg(content)) is not None:
        return Header(kind, usual.width, usual.height)
    file = _LimitedFile(content[:4096] if kind == 'PNM' else content)  # a PNM's header is read letter by letter
    width, height = open_lazily(file, kind).size
    if kind == 'JPEG':
        _check_scans(content, file.tell())
    return Header(kind, width, height)


def open_lazily(file: io.BytesIO, kind: str) -> ImageFile:
    """Return a picture of a known format that Pillow has not decoded yet.

    `Image.open` is not used: it would warn and raise at a limit of its own on the number of pixels.
    """
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
    return struct.unpack_from('>II', content, 16)


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
