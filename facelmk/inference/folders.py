"""Find the pictures in files, URLs, folders and patterns, and choose where their drawings go."""

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ..errors import FacelmkError, MissingResource
from ..files.addresses import is_url
from ..files.drafts import paths_below

ENDINGS = {'.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.jp2', '.pgm', '.ppm'}
DRAWING_ENDINGS = {'.jpg', '.jpeg', '.png', '.webp'}
NOT_DRAWN = {'.pgm', '.gif', '.pdf', '.svg'}  # no colours, or not written by OpenCV


class PictureSource(NamedTuple):
    """Path or URL of a picture, and the relative path of its drawing."""

    source: str
    name: Path


def find_pictures(inputs: Iterable[str], leave_out: Path | None = None) -> tuple[list[PictureSource], int]:
    """Return the pictures of files, URLs, folders (with all folders below) and patterns, and the number of other files.

    Pictures below `leave_out`, a folder inside of an input folder, do not count: they are drawings of an earlier run.
    """
    pictures: dict[str, PictureSource] = {}
    others = 0
    for name in (name for pattern in inputs for name in _expanded(pattern)):
        path = Path(name).expanduser()
        if is_url(name):
            pictures[name] = PictureSource(name, Path(Path(unquote(urlsplit(name).path)).name or 'picture'))
        elif path.is_dir():
            files = _files(path, leave_out)
            in_folder = [file for file in files if _is_picture(file)]
            others += len(files) - len(in_folder)
            pictures |= {str(file): PictureSource(str(file), file.relative_to(path)) for file in in_folder}
        elif path.is_file():
            pictures[str(path)] = PictureSource(str(path), Path(path.name))
        else:
            raise MissingResource(f'there is no picture and no folder {name} (from {Path.cwd()})')
    if not pictures:
        only = f', only {others} other files' if others else ''
        raise FacelmkError(
            f'there is no picture in {", ".join(inputs)}{only}. Pictures end in {", ".join(sorted(ENDINGS))}'
        )
    return list(pictures.values()), others


def check_inputs(inputs: Iterable[str]) -> None:
    """Refuse a picture, folder or pattern that does not exist; nothing is searched yet."""
    for name in (name for pattern in inputs for name in _expanded(pattern)):
        if not is_url(name) and not os.path.exists(os.path.expanduser(name)):
            raise MissingResource(f'there is no picture and no folder {name} (from {Path.cwd()})')


def _expanded(pattern: str) -> list[str]:
    """Return the paths that a pattern such as 'album/*.jpg' matches; a path or a URL stays as it is."""
    path = os.path.expanduser(pattern)
    if is_url(pattern) or os.path.exists(path) or not glob.has_magic(path):
        return [pattern]
    if matches := sorted(glob.glob(path, recursive=True)):
        return matches
    raise MissingResource(f'no path matches the pattern {pattern} (from {Path.cwd()}). Check the folder and the ending')


def _files(folder: Path, leave_out: Path | None) -> list[Path]:
    files = sorted(path for path in paths_below(folder) if path.is_file())
    if leave_out is None or leave_out.resolve() == folder.resolve() or not _is_below(leave_out, folder):
        return files
    return [file for file in files if not _is_below(file, leave_out)]


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS and not file.name.startswith('.')  # macOS keeps notes in ._photo.jpg


def _is_below(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def name_drawings(pictures: Sequence[PictureSource], out: Path) -> dict[str, Path]:
    """Return each picture's drawing: `out` itself if it names a picture, otherwise a file of its own in that folder."""
    if out.suffix.lower() in NOT_DRAWN and not out.is_dir():
        raise FacelmkError(f'{out}: no drawing is written as {out.suffix}. Use .jpg or .png, or give a folder')
    if out.suffix.lower() in ENDINGS:
        if len(pictures) > 1:
            raise FacelmkError(f'{out} is one picture, and there are {len(pictures)} to draw. Give a folder')
        drawings = {pictures[0].source: out}
    else:
        drawings = {}
        taken: set[str] = set()
        for picture in pictures:
            drawing = _free_path(_drawing_path(out / picture.name), taken)
            taken.add(os.path.normcase(drawing))
            drawings[picture.source] = drawing
    photographs = {Path(source).resolve() for source in drawings if not is_url(source)}
    for drawing in drawings.values():
        if drawing.resolve() in photographs:
            raise FacelmkError(f'the drawing {drawing} would replace a photograph. Give another --out')
    return drawings


def _drawing_path(path: Path) -> Path:
    return path if path.suffix.lower() in DRAWING_ENDINGS else path.with_name(f'{path.name}.jpg')


def _free_path(path: Path, taken: set[str]) -> Path:
    """Return the path, with a number where another drawing has it."""
    number, free = 1, path
    while os.path.normcase(free) in taken:
        number += 1
        free = path.with_stem(f'{path.stem}_{number}')
    return free
