"""Read a picture from a file, URL, bytes, array, PIL image or tensor; all become (H, W, 3) uint8 BGR."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from ..errors import DataDefect, FacelmkError, MissingResource
from ..files.addresses import is_url

if TYPE_CHECKING:
    from torch import Tensor

try:
    from ..datasets.images.decode import Picture as Picture
    from ..datasets.images.decode import decode, read_image
except ImportError:  # without Pillow, which mmengine needs and an exported model does not
    from ..datasets.images.opencv_alone import Picture, decode, read_image

MAX_DOWNLOAD_BYTES = 1 << 28


def is_tensor(source: Any) -> TypeGuard['Tensor']:
    """Whether this is a tensor. A program that has not imported torch has none, and needs not import it."""
    torch = sys.modules.get('torch')
    return torch is not None and isinstance(source, torch.Tensor)


def is_many(source: Any) -> bool:
    """Whether this is several pictures: a list, a tuple, or a tensor (B, 3, H, W)."""
    return isinstance(source, (list, tuple)) or (is_tensor(source) and source.ndim == 4)


def read_picture(source: Any) -> Picture:
    """Return a picture (H, W, 3), uint8 BGR, upright by its EXIF note, with grey as three channels, without alpha."""
    if is_url(source):
        return _from_url(source)
    if is_tensor(source):
        return _from_tensor(source)
    if isinstance(source, (str, Path)):
        return read_image(os.path.expanduser(source))
    return read_image(source)


def _from_url(url: str) -> Picture:
    from http.client import HTTPException

    from ..files.download import offline  # imports ssl, which a picture on the disk does not need
    from ..files.web import explain, hide_secrets, read_url, without_secrets

    try:
        if offline():
            raise OSError('FACELMK_OFFLINE is set, so nothing is downloaded')
        content = read_url(url, MAX_DOWNLOAD_BYTES)
    except (OSError, HTTPException, ValueError) as error:
        reason = hide_secrets(explain(error), url)
        raise MissingResource(
            f'{without_secrets(url)} could not be downloaded: {reason}. Save the picture and give its path'
        ) from error
    if len(content) > MAX_DOWNLOAD_BYTES:
        raise DataDefect(
            f'{without_secrets(url)} has more than {MAX_DOWNLOAD_BYTES >> 20} MiB. Expected a picture of a face'
        )
    return decode(content, without_secrets(url))


def _from_tensor(image: 'Tensor') -> Picture:
    if image.ndim != 3 or image.shape[0] != 3 or image.element_size() != 1 or not image.numel():
        raise FacelmkError(
            f'a tensor of shape {tuple(image.shape)} and type {image.dtype} is no picture. Expected '
            '(3, H, W) or (B, 3, H, W), uint8 from 0 to 255, RGB'
        )
    return np.ascontiguousarray(image.detach().flip(0).permute(1, 2, 0).cpu().numpy().astype(np.uint8, copy=False))
