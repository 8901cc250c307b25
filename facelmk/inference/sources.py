"""What a user gives as input: pictures in any form, folders, patterns, films and cameras."""

import glob
import os
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import FacelmkError, MissingResource
from ..files.addresses import is_url
from ..files.drafts import paths_below
from .films import containers
from .pictures import is_many, is_tensor

ENDINGS = {'.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.jp2', '.pgm', '.ppm'}
ALL_ENDINGS = ENDINGS | containers.ENDINGS  # of pictures and films
NAMED_ENDINGS = ', '.join(sorted(ALL_ENDINGS))


class Item(NamedTuple):
    """One picture, film or camera, with the boxes that the user gives for it."""

    source: Any
    boxes: Any
    is_film: bool = False


def items(sources: Any, boxes: Any = None) -> Iterator[Item | tuple[Any, FacelmkError]]:
    """Yield the items of one source or of several, or a source with the error that says why it has none.

    `boxes` are None, a word for all of them, those of one source, or an iterable with those of each of several.
    """
    if is_one(sources):
        yield from _items_of(sources, boxes)
        return
    each = repeat(boxes) if boxes is None or isinstance(boxes, str) else boxes
    for source, its_boxes in zip(sources, each):  # noqa: B905  repeat has no end
        yield from _items_of(source, its_boxes)


def is_one(source: Any) -> bool:
    """Whether this is one path, picture or camera, and not several."""
    if isinstance(source, np.ndarray):
        return source.ndim < 4
    if is_tensor(source):
        return not is_many(source)
    return isinstance(source, (str, Path, bytes, bytearray, memoryview)) or not hasattr(source, '__iter__')


def _items_of(source: Any, boxes: Any) -> Iterator[Item | tuple[Any, FacelmkError]]:
    camera = camera_number(source)
    if camera is not None:
        yield Item(camera, boxes, is_film=True)
    elif not isinstance(source, (str, Path)) or is_url(source):
        yield Item(source, boxes)
    else:
        try:
            for path in paths_of(source):
                yield Item(path, boxes, is_film(path))
        except FacelmkError as error:
            yield source, error


def paths_of(source: str | Path) -> Iterator[str | Path]:
    """Yield the pictures and films of a path, a folder (with all folders below) or a pattern such as 'album/*.jpg'."""
    for path in expand(source):
        if not os.path.isdir(os.path.expanduser(path)):
            yield path
            continue
        inside = [file for file in files_below(Path(path).expanduser()) if has_ending(file)]
        if not inside:
            raise FacelmkError(f'there is no picture and no film in {path}. They end in {NAMED_ENDINGS}')
        yield from map(str, inside)


def expand(pattern: str | Path) -> list[str | Path]:
    """Return the paths that a pattern such as 'album/*.jpg' matches; a path or a URL stays as it is."""
    path = os.path.expanduser(pattern)
    if is_url(pattern) or os.path.exists(path) or not glob.has_magic(str(path)):
        return [pattern]
    if matches := sorted(glob.glob(str(path), recursive=True)):
        return list(matches)
    raise MissingResource(f'no path matches the pattern {pattern} (from {Path.cwd()}). Check the folder and the ending')


def files_below(folder: Path) -> list[Path]:
    """Return the files of a folder and of all folders below, in the order of their names."""
    return sorted(path for path in paths_below(folder) if path.is_file())


def has_ending(file: Path, films: bool = True) -> bool:
    """Whether a file of a folder is a picture or a film, by its name; macOS keeps notes in ._photo.jpg."""
    return file.suffix.lower() in (ALL_ENDINGS if films else ENDINGS) and not file.name.startswith('.')


def is_film(path: str | Path) -> bool:
    """Whether a file is a film: by its ending, or by its first bytes if it has the ending of no picture."""
    ending = os.path.splitext(path)[1].lower()
    if ending in containers.ENDINGS:
        return True
    return ending not in ENDINGS and containers.film_kind(os.path.expanduser(path)) is not None


def camera_number(source: Any) -> int | None:
    """Return the number of a camera, also as text such as '0' where no file has that name; None for all else."""
    if isinstance(source, (int, np.integer)) and not isinstance(source, bool):
        if source < 0:
            raise FacelmkError(f'{source} is no camera. Expected a number from 0')
        return int(source)
    if isinstance(source, str) and source.isascii() and source.isdecimal() and not os.path.exists(source):
        return int(source)
    return None


def check_picture(source: Any) -> None:
    """Refuse a folder, a pattern, a film or a camera where one picture is expected."""
    camera = camera_number(source)
    what = 'the number of a camera' if camera is not None else None
    if isinstance(source, (str, Path)) and not is_url(source) and what is None:
        path = os.path.expanduser(source)
        if os.path.isdir(path):
            what = 'a folder'
        elif os.path.exists(path):
            what = 'a film' if is_film(path) else None
        elif glob.has_magic(str(path)):
            what = 'a pattern'
    if what is not None:
        raise FacelmkError(f'{source} is {what}. model(...) takes pictures; use: for faces in model.stream({source!r})')
