"""Decode pictures without Pillow: JPEG, PNG and BMP by OpenCV. The pixels are those of `decode`."""

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, FacelmkError
from ..records import translate_read_errors
from .pixel_limit import MAX_FILE_BYTES, pixel_limit

Picture = NDArray[np.uint8]
ADVICE = 'Other formats need Pillow: pip install pillow'
SIZE_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # of JPEG: those that hold height and width


def read_image(source: Any, max_pixels: int | None = None) -> Picture:
    """Return the picture (H, W, 3), uint8 BGR, of a path, the bytes of a file, or an array."""
    if isinstance(source, (str, Path)):
        with translate_read_errors(source) as status:
            if status.st_size > MAX_FILE_BYTES:
                raise DataDefect(f'{source}: {status.st_size >> 20} MiB. Expected a picture of at most 1024 MiB')
            with open(source, 'rb') as stream:
                content = stream.read()
        return decode(content, str(source), max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode(bytes(source), 'these bytes', max_pixels)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    raise FacelmkError(
        f'a {type(source).__name__} is no picture. Expected a path, the bytes of a file or an array (H, W, 3) uint8 BGR'
    )


def decode(content: bytes, name: str = 'these bytes', max_pixels: int | None = None) -> Picture:
    """Return the picture in the bytes of a file; its size is read before it is decoded."""
    width, height = _read_size(content) or (0, 0)
    if not width * height:
        raise DataDefect(f'{name}: no picture: {len(content)} bytes that are no JPEG, PNG or BMP. {ADVICE}')
    limit = pixel_limit(max_pixels)
    if width * height > limit:
        raise DataDefect(f'{name}: no picture: {width} x {height} pixels, more than {limit}. Make it smaller')
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise DataDefect(f'{name}: no picture: damaged or cut off ({len(content)} bytes). Download or save it again')
    return np.asarray(image, np.uint8)


def _read_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height from the header of a JPEG, PNG or BMP; None for all else."""
    try:
        if content[:8] == b'\x89PNG\r\n\x1a\n':
            return struct.unpack_from('>II', content, 16)
        if content[:2] == b'BM':
            width, height = struct.unpack_from('<ii', content, 18)
            return abs(width), abs(height)
        return _jpeg_size(content) if content[:2] == b'\xff\xd8' else None
    except (struct.error, IndexError):
        return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    offset = 2
    while content[offset] == 0xFF:
        marker, (length,) = content[offset + 1], struct.unpack_from('>H', content, offset + 2)
        if marker in SIZE_MARKERS:
            height, width = struct.unpack_from('>HH', content, offset + 5)
            return width, height
        offset += 2 + length
    return None


def _from_array(image: NDArray) -> Picture:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise FacelmkError(
            f'an array of shape {image.shape} and type {image.dtype} is no picture. Expected (H, W, 3), uint8, BGR'
        )
    return np.ascontiguousarray(image)
