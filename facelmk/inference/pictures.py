"""Pictures from wherever they are: files, addresses, bytes, arrays, PIL, tensors; all become (H, W, 3) uint8 BGR."""
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import cv2
import mmcv
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..registry import DataDefect, FacelmkError, MissingResource

Picture = NDArray[np.uint8]
LARGEST = 1 << 28  # bytes that are taken from an address
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF's orientation to PIL's transpose that sets it upright
KINDS = 'a path, a URL, the bytes of a file, an array (H, W, 3) uint8 BGR, a PIL image, a tensor (3, H, W) uint8 RGB'


def is_address(source: Any) -> bool:
    """Whether a picture is to be fetched from the net."""
    return isinstance(source, str) and source.startswith(('http://', 'https://'))


def is_many(source: Any) -> bool:
    """Whether this is several pictures: a list, a tuple, or a tensor (B, 3, H, W)."""
    return isinstance(source, (list, tuple)) or (isinstance(source, Tensor) and source.ndim == 4)


def read_picture(source: Any) -> Picture:
    """A picture (H, W, 3), uint8 BGR, upright by its EXIF note, grey ones in three channels, without alpha."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode(bytes(source), 'these bytes')
    if isinstance(source, (str, Path)):
        return decode(_receive(str(source)) if is_address(source) else _content(Path(source)), str(source))
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Tensor):
        return _from_tensor(source)
    if type(source).__module__.startswith('PIL.'):
        return _from_pil(source)
    raise FacelmkError(f'a {type(source).__name__} is no picture; expected {KINDS}')


def decode(content: bytes, name: str) -> Picture:
    """The picture in a file's bytes, as validation reads it."""
    try:
        image = mmcv.imfrombytes(content, flag='color') if content else None
    except cv2.error:
        image = None
    if image is None:
        raise DataDefect(f'{name}: no picture that OpenCV can decode ({len(content)} bytes)')
    return image


def _content(path: Path) -> bytes:
    path = path.expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingResource(f'{path} cannot be read as a picture ({error.strerror}), from {Path.cwd()}') from error


def _receive(address: str) -> bytes:
    try:
        with urlopen(address, timeout=30) as answer:
            content = answer.read(LARGEST + 1)
    except (URLError, OSError, ValueError) as error:
        raise MissingResource(f'{address} could not be fetched: {error}. Save the picture and give its path') from error
    if len(content) > LARGEST:
        raise DataDefect(f'{address} holds more than {LARGEST >> 20} MiB; that is no picture of a face')
    return content


def _from_array(image: NDArray) -> Picture:
    wrong = f'an array of shape {image.shape} and type {image.dtype} is no picture'
    if image.dtype != np.uint8:
        raise FacelmkError(f'{wrong}; expected uint8 from 0 to 255, BGR as OpenCV reads it')
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or not image.size:
        raise FacelmkError(f'{wrong}; expected (H, W, 3) BGR, (H, W, 4) with alpha, or (H, W) grey')
    return np.ascontiguousarray(np.repeat(image, 3, 2) if image.shape[2] == 1 else image[..., :3])


def _from_tensor(image: Tensor) -> Picture:
    if image.ndim != 3 or image.shape[0] != 3 or image.element_size() != 1 or not image.numel():
        raise FacelmkError(f'a tensor of shape {tuple(image.shape)} and type {image.dtype} is no picture; expected '
                           '(3, H, W) or (B, 3, H, W), uint8 from 0 to 255, RGB')
    return np.ascontiguousarray(image.detach().flip(0).permute(1, 2, 0).cpu().numpy().astype(np.uint8, copy=False))


def _from_pil(image: Any) -> Picture:
    if image.mode.startswith(('I', 'F')):
        raise FacelmkError(f'a PIL image of mode {image.mode!r} has more than 8 bits a channel; scale it to 8 first')
    turn = TURNS.get(image.getexif().get(0x0112, 1))  # PIL opens a photograph as the sensor lay
    upright = image if turn is None else image.transpose(turn)
    return np.ascontiguousarray(np.asarray(upright.convert('RGB'))[..., ::-1])
