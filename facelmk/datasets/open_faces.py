"""Open a file or a folder as a data set: find the reader, the landmark scheme and the folder of the pictures."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..errors import DataDefect, FacelmkError, MissingResource
from ..markups import MARKUPS, Markup
from ..registry import DATASETS
from .annotated import AnnotatedFaces, Detected
from .readers import READERS
from .readers.safe_xml import root_of
from .schemes import Points, check_scheme, find_scheme

LAYOUTS = ', '.join(reader.layout for reader in READERS if reader.layout)
ENDINGS = ('.json', '.xml', '.csv', '.txt', '.npz', '.mat')  # of files that may hold the annotations of a folder
MAX_FILES = 20  # of the annotations of a set: in a folder with more, there is one for each picture
NOTES = ('.txt', '.mat')  # endings of files that may as well hold something else
SUBFOLDERS = ('', 'annotations', 'labels')  # of a folder, where these files may lie


class Found(NamedTuple):
    """A file or folder of annotations, its reader, and what the reader has detected."""

    path: Path
    reader: type[AnnotatedFaces]
    detected: Detected


def open_faces(
    source: str | Path,
    markup: str | None = None,
    image_root: str | Path | None = None,
    defects: str = 'stop',
    flip_pairs: str | None = None,
) -> AnnotatedFaces:
    """Return the faces of an annotation file or folder; without `image_root`, pictures are searched beside it.

    Without `markup`, the landmark scheme is found by the number of points and, if no known one has it, made from the
    names of the points; `flip_pairs` then names the mirror pairs, as 'A:B,C:D'.
    """
    found = find_annotations(Path(source))
    if len(found) > 1:
        names = ', '.join(str(each.path) for each in found)
        raise FacelmkError(f'{source} holds several files of annotations: {names}. Give one of them')
    return open_found(found[0], markup, image_root, defects, flip_pairs)


def open_found(
    found: Found,
    markup: str | None = None,
    image_root: str | Path | None = None,
    defects: str = 'stop',
    flip_pairs: str | None = None,
    origin: int | None = None,
) -> AnnotatedFaces:
    """Return the faces of annotations that `find_annotations` has found."""
    path, reader, detected = found
    options = detected.options | {'defects': defects, 'find_pictures': bool(detected.pictures)}
    options['markup'] = scheme_of(found, markup, flip_pairs).name
    if origin is not None:
        options['origin'] = origin
    if detected.pictures:
        options['image_root'] = str(image_root or _find_image_root(path, detected.pictures, detected.root))
    elif image_root is not None:
        options['image_root'] = str(image_root)
    return DATASETS.build({'type': reader.__name__, **options})


def find_annotations(path: Path) -> list[Found]:
    """Return the annotations at a path: a file, a folder of a known layout, or the annotation files in a folder."""
    if not path.exists():
        raise MissingResource(f'{path} is not there (from {Path.cwd()}). Give {LAYOUTS}')
    if path.is_dir() and (found := _annotation_files(path)):
        return found
    alone = _detect(path)
    files = [file for file in _candidates(path) if file.suffix.lower() not in NOTES]
    if alone is None and len(files) == 1:
        return find_annotations(files[0])  # its reader will say what is wrong with it
    if alone is None:
        raise FacelmkError(f'{path}: no reader knows {_what(path)}. Give {LAYOUTS}')
    return [alone]


def _what(path: Path) -> str:
    """Return what a path is that no reader knows."""
    if path.is_dir():
        names = ', '.join(file.name for file in _candidates(path)[:3])
        return f'this folder, with {names}' if names else 'this folder: it holds no file of annotations'
    if path.suffix.lower() == '.xml' and (root := root_of(path)):
        return f'an .xml that begins with <{root}>'
    if path.suffix.lower() == '.xml':
        return 'an .xml without elements'
    return f'the ending {path.suffix!r}' if path.suffix else 'a file without an ending'


def _annotation_files(folder: Path) -> list[Found]:
    """Return the files of a folder, or of its folder `annotations`, that hold the annotations of all pictures."""
    for name in SUBFOLDERS:
        files = _candidates(folder / name)
        if len(files) <= MAX_FILES and (found := [each for each in map(_whole_set, files) if each is not None]):
            return found
    return []


def _candidates(folder: Path) -> list[Path]:
    """Return the files of a folder that may hold annotations."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS) if folder.is_dir() else []


def _whole_set(file: Path) -> Found | None:
    """Return a file in a format that has one file for all pictures, else None."""
    try:
        found = _detect(file)
    except (FacelmkError, DataDefect):
        return None
    if found is None or found.detected.size is None or found.reader.one_file_a_picture:
        return None
    return found


def _detect(path: Path) -> Found | None:
    """Return the first reader that knows a file or folder."""
    for reader in READERS:
        if detected := reader.detect(path):
            return Found(path, reader, detected)
    return None


def scheme_of(found: Found, markup: str | None = None, flip_pairs: str | None = None) -> Markup:
    """Return the landmark scheme of annotations, and register it if it is their own."""
    detected = found.detected
    points = detected.points or (None if detected.size is None else Points(detected.size))
    if points is None:
        return MARKUPS[markup or 'wflw']  # the reader will say what is wrong with the file
    fixed = detected.options.get('markup')
    if flip_pairs is not None and (markup or fixed):
        raise FacelmkError(
            f'--flip-pairs {flip_pairs}: the landmark scheme {markup or fixed} has its own mirror pairs. Leave one out'
        )
    if fixed and markup is None:
        return MARKUPS[fixed]
    if markup is not None:
        return check_scheme(points, found.path, markup)
    return MARKUPS.add_own(find_scheme(points, found.path, flip_pairs))


def _find_image_root(path: Path, pictures: Iterable[str], named: str | None = None) -> Path:
    """Return the folder that holds most of the pictures; by default the file's own folder.

    It is a folder near the annotation file, or the one that the file names.
    """
    own = path if path.is_dir() else path.parent
    bases = [own, *([own.parent] if own.name.lower() in SUBFOLDERS or 'annotations' in own.name.lower() else [])]
    names = list(pictures)
    most, best = 0, bases[-1]
    for base in bases:
        children = sorted(child for child in base.iterdir() if child.is_dir())
        for folder in (base / 'images', base / 'WFLW_images', base, *children):
            count = sum(os.path.isfile(folder / name) for name in names)
            if count > most:
                most, best = count, folder
    if named is not None and sum(os.path.isfile(own / named / name) for name in names) > most:
        return own / named
    return best
