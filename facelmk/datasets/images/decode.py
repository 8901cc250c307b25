"""Decode pictures: a path, the bytes of a file, an array or a PIL image becomes (H, W, 3) uint8 BGR.

Files are rotated upright by their EXIF orientation. Grey becomes three equal channels, alpha is dropped, of 16 bits the
upper 8 are used, of several pictures the first. Width and height are read from the header before anything is decoded,
and pictures of more than `pixel_limit` pixels are refused: a few kB can hold a picture that fills the memory.
"""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import DataDefect, FacelmkError
from ..records import translate_read_errors
from .limits import FORMATS, Header, open_lazily, read_header
from .pixel_limit import MAX_FILE_BYTES, MAX_PIXELS_VARIABLE, pixel_limit

Picture = NDArray[np.uint8]
OPENCV_FORMATS = ('JPEG', 'PNG', 'BMP', 'PNM')  # OpenCV is faster; the others are decoded by the parser of their header
TRANSPOSES = {  # by EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
ORIENTATION = 0x0112
EXIF_BYTES = 1 << 17  # from the beginning of a file, in which EXIF data begin
LYING = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
SOURCES = 'a path, the bytes of a file, an array (H, W, 3) uint8 BGR, a PIL image (models take URLs and tensors, too)'
ADVICE = 'Download or save it again'
WIDE_MODES = ('I', 'F')  # of Pillow: 32 bits per channel


def read_image(source: Any, max_pixels: int | None = None) -> Picture:
    """Return the picture (H, W, 3), uint8 BGR, of a path, the bytes of a file, an array or a PIL image."""
    if isinstance(source, (str, Path)):
        return decode(read_file(source), str(source), max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode(bytes(source), 'these bytes', max_pixels)
    if isinstance(source, np.ndarray):
        return from_array(source)
    if isinstance(source, Image.Image):
        return from_pil(source, max_pixels)
    raise FacelmkError(f'a {type(source).__name__} is no picture. Expected {SOURCES}')


def read_file(path: str | Path) -> bytes:
    """Return the bytes of a picture file."""
    with translate_read_errors(path) as status:
        if status.st_size > MAX_FILE_BYTES:
            raise _no_picture(path, f'{status.st_size >> 20} MiB. Expected at most {MAX_FILE_BYTES >> 20} MiB')
        with open(path, 'rb', buffering=0) as stream:
            content = stream.read()
    return content


def _no_picture(name: str | Path, why: str) -> DataDefect:
    return DataDefect(f'{name}: no picture: {why}')


def decode(content: bytes, name: str = 'these bytes', max_pixels: int | None = None) -> Picture:
    """Return the picture in the bytes of a file; `name` is its name in errors."""
    header = _read_header(content, name)
    _check_pixels(header.width, header.height, name, max_pixels)
    with_opencv = header.kind in OPENCV_FORMATS
    image = _decode_with_opencv(content) if with_opencv else _decode_with_pillow(content, header.kind, name)
    if image is None:
        size = f'{header.width} x {header.height} pixels'
        raise _no_picture(name, f'a {header.kind} of {size}, but damaged or cut off ({len(content)} bytes). {ADVICE}')
    return image


def _read_header(content: bytes, name: str) -> Header:
    if not content:
        raise _no_picture(name, f'empty (0 bytes). {ADVICE}')
    try:
        header = read_header(content)
    except ValueError as error:
        raise _no_picture(name, f'{error} ({len(content)} bytes). {ADVICE}') from error
    if header is None:
        start = content[:256].lstrip().lower()
        page = 'a web page, perhaps the answer of a failed download; ' if start.startswith((b'<!doc', b'<html')) else ''
        raise _no_picture(name, f'{page}{len(content)} bytes in no known format. Expected {", ".join(FORMATS)}')
    return header


def _check_pixels(width: int, height: int, name: str, max_pixels: int | None) -> None:
    limit = pixel_limit(max_pixels)
    if width * height > limit:
        advice = f'If you trust it, set {MAX_PIXELS_VARIABLE} to a larger number'
        raise _no_picture(name, f'{width} x {height} = {width * height} pixels, more than {limit}. {advice}')


def decode_reduced(content: bytes, name: str, divisor: int, max_pixels: int | None = None) -> tuple[Picture, int, int]:
    """Return a JPEG decoded at 1/2, 1/4 or 1/8 of its sides, and the width and height of the whole picture.

    The decoder leaves out work for pixels that would be averaged anyway. Other formats are decoded whole, and so are
    pictures that their EXIF orientation turns, whose last pixels would come first.
    """
    header = _read_header(content, name)
    if divisor == 1 or header.kind != 'JPEG' or _is_turned(content):
        image = decode(content, name, max_pixels)
        return image, image.shape[1], image.shape[0]
    _check_pixels(header.width, header.height, name, max_pixels)
    small = _decode_with_opencv(content, REDUCED[divisor])
    if small is None:
        return decode_reduced(content, name, 1, max_pixels)  # which raises the error that names the damage
    return small, header.width, header.height


def _is_turned(content: bytes) -> bool:
    """Return whether a JPEG has an EXIF orientation; most have no EXIF data, which is quickly seen."""
    if b'Exif' not in content[:EXIF_BYTES]:
        return False
    try:
        return open_lazily(io.BytesIO(content), 'JPEG').getexif().get(ORIENTATION, 1) != 1
    except Exception:  # damaged EXIF data raise errors of any class
        return True


def _decode_with_opencv(content: bytes, flags: int = cv2.IMREAD_COLOR) -> Any:
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        return None


def _decode_with_pillow(content: bytes, kind: str, name: str) -> Picture | None:
    image = open_lazily(io.BytesIO(content), kind)
    if image.mode in WIDE_MODES:
        numbers = f'a {kind} of floating-point or 32-bit numbers, and it is unknown which of them are black and white'
        raise _no_picture(name, f'{numbers}. Scale them and save it with 8 bits')
    try:
        return _to_bgr(image)
    except Image.DecompressionBombError as error:  # only if MAX_PIXELS_VARIABLE allows more than Pillow does
        raise _no_picture(name, str(error)) from error
    except Exception:  # damaged files raise errors of any class
        return None


def from_array(image: NDArray) -> Picture:
    """Return an array as a picture: (H, W, 3) BGR, (H, W, 4) with alpha, (H, W, 1) or (H, W) grey, all uint8."""
    wrong = f'an array of shape {image.shape} and type {image.dtype} is no picture'
    if image.dtype != np.uint8:
        raise FacelmkError(
            f'{wrong}. Expected uint8 from 0 to 255, BGR as OpenCV reads it; '
            'from numbers in [0, 1]: (image * 255).round().astype(np.uint8)'
        )
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim == 3 and image.shape[0] in (1, 3, 4) and image.shape[2] not in (1, 3, 4):
        raise FacelmkError(f'{wrong}. Expected the channels last: image.transpose(1, 2, 0)')
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or not image.size:
        raise FacelmkError(f'{wrong}. Expected (H, W, 3) BGR, (H, W, 4) with alpha, or (H, W) grey')
    return np.ascontiguousarray(np.repeat(image, 3, 2) if image.shape[2] == 1 else image[..., :3])


def from_pil(image: Image.Image, max_pixels: int | None = None) -> Picture:
    """Return a PIL image as a picture, rotated upright by its EXIF orientation as a file would be."""
    name = getattr(image, 'filename', '') or 'a PIL image'
    _check_pixels(*image.size, name, max_pixels)
    if image.mode in WIDE_MODES:
        raise FacelmkError(f'{name}: mode {image.mode!r} has 32 bits per channel. Scale it to 8 bits first')
    try:
        return _to_bgr(image)
    except Exception as error:  # Pillow decodes late, and damaged files raise errors of any class
        raise _no_picture(name, f'{type(error).__name__}: {error}') from error


def _to_bgr(image: Image.Image) -> Picture:
    image.load()  # this rotates a TIFF, but no other format
    transpose = TRANSPOSES.get(image.getexif().get(ORIENTATION, 1))
    upright = image if transpose is None else image.transpose(transpose)
    if image.mode.startswith('I;16'):
        return np.repeat((np.asarray(upright) >> 8).astype(np.uint8)[..., None], 3, 2)
    return np.ascontiguousarray(np.asarray(upright.convert('RGB'))[..., ::-1])


def read_size(path: str | Path) -> tuple[int, int] | None:
    """Return width and height of a picture file as it stands upright, without decoding it; None if it is unreadable."""
    try:
        content = read_file(path)
        header = _read_header(content, str(path))
        _check_pixels(header.width, header.height, str(path), None)
        lying = open_lazily(io.BytesIO(content), header.kind).getexif().get(ORIENTATION) in LYING
    except Exception:  # damaged files raise errors of any class
        return None
    return (header.height, header.width) if lying else (header.width, header.height)
