"""Which pictures are meant by files, addresses and folders, and where their drawings go."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ..errors import FacelmkError, MissingResource
from .pictures import is_address

ENDINGS = {'.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.jp2', '.pgm', '.ppm'}
DRAWN = {'.jpg', '.jpeg', '.png', '.webp'}  # what drawings are written as


class Found(NamedTuple):
    """A picture, and its name among the drawings."""

    source: str
    name: Path


def find_pictures(inputs: Iterable[str], leave_out: Path | None = None) -> tuple[list[Found], int]:
    """The pictures of files, addresses and folders with all below them, and how many other files lie there.

    What lies in `leave_out`, a folder in a folder, is left out: drawings of an earlier run are no photographs.
    """
    found: dict[str, Found] = {}
    others = 0
    for given in inputs:
        path = Path(given).expanduser()
        if is_address(given):
            found[given] = Found(given, Path(Path(unquote(urlsplit(given).path)).name or 'picture'))
        elif path.is_dir():
            skip = leave_out is not None and leave_out.resolve() != path.resolve() and _below(leave_out, path)
            files = [file for file in _files(path) if not (skip and leave_out and _below(file, leave_out))]
            pictures = [file for file in files if _is_picture(file)]
            others += len(files) - len(pictures)
            found |= {str(file): Found(str(file), file.relative_to(path)) for file in pictures}
        elif path.is_file():
            found[str(path)] = Found(str(path), Path(path.name))
        else:
            raise MissingResource(f'there is no picture and no folder {given} (from {Path.cwd()})')
    if not found:
        raise FacelmkError(
            f'there is no picture in {", ".join(inputs)}, only {others} other files; pictures end in '
            f'{", ".join(sorted(ENDINGS))}'
        )
    return list(found.values()), others


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob('*') if file.is_file())


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS and not file.name.startswith('.')  # ._photo.jpg is a note of macOS


def _below(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def name_drawings(pictures: Sequence[Found], out: Path) -> dict[str, Path]:
    """Where each picture's drawing goes: `out` itself if it names a picture, or a file of its own below that folder."""
    if out.suffix.lower() in ENDINGS:
        if len(pictures) > 1:
            raise FacelmkError(f'{out} is one picture, and there are {len(pictures)} to draw; give a folder')
        places = {pictures[0].source: out}
    else:
        places = {}
        taken: set[str] = set()
        for picture in pictures:
            place = _free(_drawn_as(out / picture.name), taken)
            taken.add(os.path.normcase(place))
            places[picture.source] = place
    originals = {Path(source).resolve() for source in places if not is_address(source)}
    for place in places.values():
        if place.resolve() in originals:
            raise FacelmkError(f'the drawing {place} would replace a photograph; give another place')
    return places


def _drawn_as(path: Path) -> Path:
    return path if path.suffix.lower() in DRAWN else path.with_name(f'{path.name}.jpg')


def _free(path: Path, taken: set[str]) -> Path:
    """The path, or with a number where another picture has it."""
    number, free = 1, path
    while os.path.normcase(free) in taken:
        number += 1
        free = path.with_stem(f'{path.stem}_{number}')
    return free
