"""Pictures from wherever they are: files, addresses, bytes, arrays, PIL, tensors; all become (H, W, 3) uint8 BGR."""

import os
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..datasets.images.decode import Picture, decode, read_image
from ..errors import DataDefect, FacelmkError, MissingResource
from ..files.download import offline
from ..files.web import opener

LARGEST = 1 << 28  # bytes that are taken from an address


def is_address(source: Any) -> bool:
    """Whether a picture is to be fetched from the net."""
    return isinstance(source, str) and source[:8].lower().startswith(('http://', 'https://'))


def is_many(source: Any) -> bool:
    """Whether this is several pictures: a list, a tuple, or a tensor (B, 3, H, W)."""
    return isinstance(source, (list, tuple)) or (isinstance(source, Tensor) and source.ndim == 4)


def read_picture(source: Any) -> Picture:
    """A picture (H, W, 3), uint8 BGR, upright by its EXIF note, grey ones in three channels, without alpha."""
    if is_address(source):
        return decode(_receive(source), source)
    if isinstance(source, Tensor):
        return _from_tensor(source)
    if isinstance(source, (str, Path)):
        return read_image(os.path.expanduser(source))
    return read_image(source)


def _receive(address: str) -> bytes:
    try:
        if offline():
            raise OSError('FACELMK_OFFLINE is set, so the net is not asked')
        with opener().open(address) as answer:
            content = answer.read(LARGEST + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise MissingResource(f'{address} could not be fetched: {error}. Save the picture and give its path') from error
    if len(content) > LARGEST:
        raise DataDefect(f'{address} holds more than {LARGEST >> 20} MiB; that is no picture of a face')
    return content


def _from_tensor(image: Tensor) -> Picture:
    if image.ndim != 3 or image.shape[0] != 3 or image.element_size() != 1 or not image.numel():
        raise FacelmkError(
            f'a tensor of shape {tuple(image.shape)} and type {image.dtype} is no picture; expected '
            '(3, H, W) or (B, 3, H, W), uint8 from 0 to 255, RGB'
        )
    return np.ascontiguousarray(image.detach().flip(0).permute(1, 2, 0).cpu().numpy().astype(np.uint8, copy=False))
