"""Find the pictures and films in files, URLs, folders and patterns, and choose where their drawings go."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ..errors import FacelmkError, MissingResource
from ..files.addresses import is_url
from .sources import ENDINGS, NAMED_ENDINGS, camera_number, expand, files_below, has_ending, is_film

DRAWING_ENDINGS = {'.jpg', '.jpeg', '.png', '.webp'}
NOT_DRAWN = {'.pgm', '.gif', '.pdf', '.svg'}  # no colours, or not written by OpenCV
FILM_ENDING = '.mp4'  # of all films that are written


class PictureSource(NamedTuple):
    """Path or URL of a picture, and the relative path of its drawing."""

    source: str
    name: Path


class FilmSource(PictureSource):
    """Path of a film, or number of a camera as text, and the relative path of its drawing."""


def find_pictures(
    inputs: Iterable[str], leave_out: Path | None = None, films: bool = True
) -> tuple[list[PictureSource], int]:
    """Return the pictures and films of files, URLs, folders (with all folders below) and patterns, and the cameras.

    The number of other files comes second; without `films`, films of folders are among them. Pictures below
    `leave_out`, a folder inside of an input folder, do not count: they are drawings of an earlier run.
    """
    pictures: dict[str, PictureSource] = {}
    others = 0
    for name in (str(name) for pattern in inputs for name in expand(pattern)):
        path = Path(name).expanduser()
        if is_url(name):
            pictures[name] = PictureSource(name, Path(Path(unquote(urlsplit(name).path)).name or 'picture'))
        elif path.is_dir():
            files = _files(path, leave_out)
            in_folder = [file for file in files if has_ending(file, films)]
            others += len(files) - len(in_folder)
            pictures |= {str(file): _source(file, file.relative_to(path)) for file in in_folder}
        elif path.is_file():
            pictures[str(path)] = _source(path, Path(path.name))
        elif camera_number(name) is not None:
            pictures[name] = FilmSource(name, Path(f'camera_{name}'))
        else:
            raise MissingResource(_nothing_at(name))
    if not pictures:
        only = f', only {others} other files' if others else ''
        raise FacelmkError(f'there is no picture and no film in {", ".join(inputs)}{only}. They end in {NAMED_ENDINGS}')
    return list(pictures.values()), others


def _source(path: Path, name: Path) -> PictureSource:
    return FilmSource(str(path), name) if is_film(path) else PictureSource(str(path), name)


def _nothing_at(name: str) -> str:
    return f'there is no picture, no film and no folder {name} (from {Path.cwd()})'


def check_inputs(inputs: Iterable[str]) -> None:
    """Refuse a picture, folder or pattern that does not exist; nothing is searched yet."""
    for name in (str(name) for pattern in inputs for name in expand(pattern)):
        if not is_url(name) and not os.path.exists(os.path.expanduser(name)) and camera_number(name) is None:
            raise MissingResource(_nothing_at(name))


def _files(folder: Path, leave_out: Path | None) -> list[Path]:
    files = files_below(folder)
    if leave_out is None or leave_out.resolve() == folder.resolve() or not _is_below(leave_out, folder):
        return files
    return [file for file in files if not _is_below(file, leave_out)]


def _is_below(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def name_drawings(pictures: Sequence[PictureSource], out: Path, is_folder: bool = False) -> dict[str, Path]:
    """Return the path of each drawing: `out` if it names a picture or a film, otherwise a file in that folder."""
    suffix = '' if is_folder else out.suffix.lower()
    if suffix in NOT_DRAWN and not out.is_dir():
        raise FacelmkError(f'{out}: no drawing is written as {out.suffix}. Use .jpg or .png, or give a folder')
    if suffix in ENDINGS or suffix == FILM_ENDING:
        _check_one(pictures, out)
        drawings = {pictures[0].source: out}
    else:
        drawings = {}
        taken: set[str] = set()
        for picture in pictures:
            drawing = _free_path(_drawing_path(out / picture.name, isinstance(picture, FilmSource)), taken)
            taken.add(os.path.normcase(drawing))
            drawings[picture.source] = drawing
    photographs = {Path(source).resolve() for source in drawings if not is_url(source)}
    for drawing in drawings.values():
        if drawing.resolve() in photographs:
            raise FacelmkError(f'the drawing {drawing} would replace a photograph or a film. Give another --out')
    return drawings


def name_points(pictures: Sequence[PictureSource], out: Path, is_folder: bool) -> dict[str, Path]:
    """Return the .pts file of each picture: `out` itself, or a file in that folder; a number is added for each face."""
    if films := [picture.source for picture in pictures if isinstance(picture, FilmSource)]:
        raise FacelmkError(
            f'{out}: a .pts file holds one face of one picture, and {films[0]} is a film. Use .json or .csv'
        )
    if not is_folder:
        if len(pictures) > 1:
            raise FacelmkError(
                f'{out} is for one picture, and there are {len(pictures)}. Give a folder: --out points --format pts'
            )
        return {pictures[0].source: out}
    taken: set[str] = set()
    points = {}
    for picture in pictures:
        path = _free_path((out / picture.name).with_suffix('.pts'), taken)
        taken.add(os.path.normcase(path))
        points[picture.source] = path
    return points


def _check_one(pictures: Sequence[PictureSource], out: Path) -> None:
    """Refuse a file that cannot hold the drawings of these pictures and films."""
    film, wants_film = isinstance(pictures[0], FilmSource), out.suffix.lower() == FILM_ENDING
    if len(pictures) > 1:
        what = 'film' if wants_film else 'picture'
        advice = 'Name a folder instead, such as --out drawn, for one drawing of each'
        if wants_film and not any(isinstance(picture, FilmSource) for picture in pictures):
            advice += '. To see pictures as a film, join them first (ffmpeg does so), and give that film'
        raise FacelmkError(f'{out} is one {what}, and there are {len(pictures)} inputs to draw. {advice}')
    if film != wants_film:
        given, expected = ('a film', FILM_ENDING) if film else ('a picture', '.jpg or .png')
        raise FacelmkError(
            f'{out}: {pictures[0].source} is {given}, whose drawing is written as {expected}. Give such a file, or a '
            'folder'
        )


def _drawing_path(path: Path, film: bool) -> Path:
    endings = {FILM_ENDING} if film else DRAWING_ENDINGS
    return path if path.suffix.lower() in endings else path.with_name(f'{path.name}{FILM_ENDING if film else ".jpg"}')


def _free_path(path: Path, taken: set[str]) -> Path:
    """Return the path, with a number where another drawing has it."""
    number, free = 1, path
    while os.path.normcase(free) in taken:
        number += 1
        free = path.with_stem(f'{path.stem}_{number}')
    return free
