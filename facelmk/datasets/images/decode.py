"""The one decoder: a path, the bytes of a file, an array or a PIL image becomes (H, W, 3) uint8 BGR.

Files stand upright by their EXIF note; grey becomes three equal channels, alpha is dropped, of 16 bits the upper 8 are
kept, of several pictures the first. Width and height are read from the header before anything is decoded, and more than
`MAX_PIXELS` are refused: some kB can hold a picture that fills the memory.
"""

import io
import os
import stat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, FacelmkError, MissingResource
from .limits import FORMATS, Header, read_header

Picture = NDArray[np.uint8]
MAX_PIXELS = 64_000_000
LIMIT = 'FACELMK_MAX_PIXELS'  # the variable that replaces it
LARGEST = 1 << 30  # bytes of a file
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF's orientation to PIL's transpose that sets it upright
ORIENTATION = 0x0112
KINDS = 'a path, the bytes of a file, an array (H, W, 3) uint8 BGR, a PIL image (models take URLs and tensors, too)'
MAKE_UINT8 = 'from numbers in [0, 1]: (image * 255).round().astype(np.uint8)'


def read_image(source: Any, max_pixels: int | None = None) -> Picture:
    """The picture (H, W, 3), uint8 BGR, of a path, the bytes of a file, an array or a PIL image."""
    if isinstance(source, (str, Path)):
        return decode(read_file(source), str(source), max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode(bytes(source), 'these bytes', max_pixels)
    if isinstance(source, np.ndarray):
        return from_array(source)
    if type(source).__module__.startswith('PIL.'):
        return from_pil(source, max_pixels)
    raise FacelmkError(f'a {type(source).__name__} is no picture; expected {KINDS}')


def read_file(path: str | Path) -> bytes:
    """A file's bytes; what is no ordinary file is refused before it is opened: a pipe would never end."""
    try:
        about = os.stat(path)
        if not stat.S_ISREG(about.st_mode):
            what = 'a folder' if stat.S_ISDIR(about.st_mode) else 'a device or a pipe'
            raise DataDefect(f'{path} is {what}, no picture; give a file')
        if about.st_size > LARGEST:
            raise DataDefect(f'{path}: no picture: {about.st_size >> 20} MiB, at most {LARGEST >> 20} are taken')
        with open(path, 'rb', buffering=0) as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingResource(
            f'{path} cannot be read as a picture ({error.strerror}), from {Path.cwd()}; check the '
            'path, or data_root and image_root of the data set'
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, 'strerror', None) or error
        raise DataDefect(
            f'{str(path)!r} cannot be read as a picture ({reason}); check its rights and its name'
        ) from error


def decode(content: bytes, name: str = 'these bytes', max_pixels: int | None = None) -> Picture:
    """The picture in a file's bytes; `name` is what errors call it."""
    header = _header(content, name)
    _within(header.width, header.height, name, max_pixels)
    if header.floats:
        raise DataDefect(
            f'{name}: no picture: a TIFF of floating-point numbers, and nobody knows which of them are '
            'black and white; save it with 8 bits'
        )
    # OpenCV would multiply the colours of a TIFF by its alpha, and falls on damaged JPEG 2000
    image = None if header.alpha or header.kind == 'JPEG 2000' else _by_opencv(content, header)
    if image is None and (header.alpha or header.kind in ('GIF', 'WebP', 'JPEG 2000')):  # early OpenCV lacks two
        image = _by_pil(content, max_pixels)
    if image is None:
        raise DataDefect(
            f'{name}: no picture: a {header.kind} of {header.width} x {header.height} pixels, but damaged '
            f'or cut off ({len(content)} bytes); fetch or save it anew'
        )
    return image


def _header(content: bytes, name: str) -> Header:
    if not content:
        raise DataDefect(f'{name}: no picture: empty (0 bytes); fetch or save it anew')
    try:
        header = read_header(content)
    except ValueError as error:
        raise DataDefect(f'{name}: no picture: {error} ({len(content)} bytes); fetch or save it anew') from error
    if header is None:
        start = content[:256].lstrip().lower()
        web = 'a web page, perhaps the answer of a failed download; ' if start.startswith((b'<!doc', b'<html')) else ''
        raise DataDefect(f'{name}: no picture: {web}{len(content)} bytes in no format that is known here ({FORMATS})')
    return header


def _within(width: int, height: int, name: str, limit: int | None) -> None:
    """Refuse pictures of too many pixels."""
    given = os.environ.get(LIMIT, '')
    if limit is None and given and not given.isdecimal():
        raise FacelmkError(f'{LIMIT}={given}: expected a number of pixels, such as {MAX_PIXELS}')
    limit = limit or int(given or MAX_PIXELS)
    if width * height > limit:
        raise DataDefect(
            f'{name}: no picture: {width} x {height} = {width * height} pixels, more than '
            f'{limit}; if it is to be trusted, set {LIMIT} to a larger number'
        )


def _by_opencv(content: bytes, header: Header) -> Picture | None:
    turned = header.orientation != 1  # WebP: whether OpenCV turns it depends on its version
    flags = cv2.IMREAD_COLOR | (cv2.IMREAD_IGNORE_ORIENTATION if turned else 0)
    try:
        image: Any = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        return None
    return _upright(image, header.orientation) if turned and image is not None else image


def _upright(image: Picture, orientation: int) -> Picture:
    """Turn a picture by its EXIF note; what is no orientation turns nothing."""
    if 5 <= orientation <= 8:
        image = image.swapaxes(0, 1)
    down, right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(image[:: -1 if down else 1, :: -1 if right else 1])


def _by_pil(content: bytes, max_pixels: int | None) -> Picture | None:
    from PIL import Image  # rarely needed

    try:
        return from_pil(Image.open(io.BytesIO(content), formats=('GIF', 'WEBP', 'TIFF', 'JPEG2000')), max_pixels)
    except Exception:  # damaged files make PIL's readers raise errors of any kind
        return None


def from_array(image: NDArray) -> Picture:
    """An array (H, W, 3) BGR, (H, W, 4) with alpha, (H, W, 1) or (H, W) grey, all uint8, as a picture."""
    wrong = f'an array of shape {image.shape} and type {image.dtype} is no picture'
    if image.dtype != np.uint8:
        raise FacelmkError(f'{wrong}; expected uint8 from 0 to 255, BGR as OpenCV reads it; {MAKE_UINT8}')
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim == 3 and image.shape[0] in (1, 3, 4) and image.shape[2] not in (1, 3, 4):
        raise FacelmkError(f'{wrong}; expected the channels last: image.transpose(1, 2, 0)')
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or not image.size:
        raise FacelmkError(f'{wrong}; expected (H, W, 3) BGR, (H, W, 4) with alpha, or (H, W) grey')
    return np.ascontiguousarray(np.repeat(image, 3, 2) if image.shape[2] == 1 else image[..., :3])


def from_pil(image: Any, max_pixels: int | None = None) -> Picture:
    """A PIL image as a picture, upright by its EXIF note as a file would be."""
    name = getattr(image, 'filename', '') or 'a PIL image'
    width, height = image.size
    _within(width, height, name, max_pixels)
    if image.mode in ('I', 'F'):
        raise FacelmkError(f'{name}: mode {image.mode!r} has 32 bits a channel; scale it to 8 first')
    try:
        image.load()  # which turns a TIFF, and no other format
        turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
        upright = image if turn is None else image.transpose(turn)
        if image.mode.startswith('I;16'):
            return np.repeat((np.asarray(upright) >> 8).astype(np.uint8)[..., None], 3, 2)
        return np.ascontiguousarray(np.asarray(upright.convert('RGB'))[..., ::-1])
    except Exception as error:  # PIL reads late, and damaged files make its readers raise errors of any kind
        raise DataDefect(f'{name}: no picture: {type(error).__name__}: {error}') from error
