"""A file or a folder as a data set: the format is told by what is there, the mark-up by the number of points."""

import csv
import json
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import FacelmkError, MissingResource
from ...markups import MARKUPS
from ...registry import DATASETS
from ..base import AnnotatedFaces
from ..defects import collecting
from .per_face_mat import FOLDERS
from .pts import points_of
from .records import read_text

USUAL = {98: 'wflw', 68: '300w', 29: 'cofw', 19: 'aflw', 106: 'lapa', 5: 'five'}
BODIES = {136: 26, 133: 23}  # points of whole bodies, and where the 68 of the face begin
FORMS = 'a .json (COCO style), a .csv (HRNet), a .txt (WFLW), a .mat (COFW), or a folder of .pts, of LaPa or of 300W-LP'


def open_faces(source: str | Path, markup: str | None = None, image_root: str | Path | None = None) -> AnnotatedFaces:
    """The faces of an annotation file or folder; pictures are looked for beside it unless `image_root` is given."""
    path = Path(source)
    if not path.exists():
        raise MissingResource(f'{path} is not there (looked from {Path.cwd()}); give {FORMS}')
    kind, options, size, pictures = _folder(path) if path.is_dir() else _file(path)
    options['markup'] = markup or options.get('markup') or _markup_of(size, path)
    if pictures:
        options['image_root'] = str(image_root or _root_of(path, pictures))
    elif image_root is not None:
        options['image_root'] = str(image_root)
    return DATASETS.build({'type': kind, **options})


Told = tuple[str, dict[str, Any], int | None, list[str]]  # reader, its arguments, number of points, some pictures


def _file(path: Path) -> Told:
    readers = {'.json': _json, '.csv': _csv, '.txt': _txt}
    if path.suffix.lower() == '.mat':
        return 'CofwMat', {'ann_file': str(path), 'origin': 1}, 29, []
    if path.suffix.lower() not in readers:
        raise FacelmkError(f'{path}: {path.suffix!r} is no format of annotations; give {FORMS}')
    kind, options, size, pictures = readers[path.suffix.lower()](path)
    return kind, options | {'ann_file': str(path)}, size, pictures


def _json(path: Path) -> Told:
    try:
        content = json.loads(read_text(path))
        faces, images = content['annotations'], content['images']
        pictures = [name for image in islice(images, 20) if isinstance(name := image.get('file_name'), str)]
        whole = any('face_kpts' in face for face in islice(faces, 20))
        size = next((len(face['keypoints']) // 3 for face in faces if face.get('keypoints')), None)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return 'CocoFaces', {}, None, []  # the reader says what is wrong
    if whole:
        return 'CocoFaces', {'markup': 'coco_wholebody_face'}, 68, pictures
    if size in BODIES:
        return 'CocoFaces', {'markup': '300w', 'first': BODIES[size]}, 68, pictures
    return 'CocoFaces', {}, size, pictures


def _csv(path: Path) -> Told:
    try:
        rows = [row for row in islice(csv.reader(read_text(path).splitlines()), 21) if row]
    except csv.Error:
        rows = []  # the reader says what is wrong
    head = rows[0] if rows else []
    size = (len(head) - (5 if 'box_size' in head else 4)) // 2 if 'scale' in head else None
    return 'CsvFaces', {}, size, [row[0] for row in rows[1:]]


def _txt(path: Path) -> Told:
    rows = [line.split() for line in islice(read_text(path).splitlines(), 20) if line.strip()]
    if rows and max(map(len, rows)) < 100:
        raise FacelmkError(
            f"{path} is no list of WFLW's (207 fields a line); give the folder where LaPa's `landmarks` "
            'and `images` lie, if it is one of its files'
        )
    return 'WflwTxt', {}, 98, [row[-1] for row in rows]


def _folder(path: Path) -> Told:
    """LaPa's and 300W-LP's folders are known by their names, .pts by their ending."""
    lists = path / 'landmarks' if (path / 'landmarks').is_dir() else path
    first = next(iter(sorted(lists.glob('*.txt'))), None)
    if first is not None:
        pictures = lists.parent / 'images'
        size = next(iter(read_text(first).split()), '')[:9]
        where = {'ann_file': str(lists), 'image_root': str(pictures if pictures.is_dir() else lists)}
        return 'LapaTxt', where, int(size) if size.isascii() and size.isdecimal() else None, []
    if any(next((path / name).glob('*.mat'), None) for name in FOLDERS):
        return 'Mat300WLP', {'image_root': str(path), 'markup': '300wlp'}, 68, []
    points = next(path.rglob('*.pts'), None)
    if points is None:
        raise FacelmkError(
            f'{path}: no .pts lie in this folder, and it is laid out neither as LaPa nor as 300W-LP; give {FORMS}'
        )
    with collecting():  # the reader says what is wrong
        row = points_of(points)
    return 'PtsFaces', {'image_root': str(path)}, len(row) // 2 if row else None, []


def _markup_of(size: int | None, path: Path) -> str:
    """The mark-up that is meant by a number of points; of those that share it the most usual."""
    if size is None:
        return 'wflw'
    found = [name for name, markup in MARKUPS.items() if markup.size == size]
    if not found:
        raise FacelmkError(
            f'{path} has {size} points a face, and no known mark-up has so many; name yours with '
            '--markup, once it is known by facelmk.markups.MARKUPS.add'
        )
    return USUAL.get(size, found[0])


def _root_of(path: Path, pictures: Iterable[str]) -> Path:
    """The folder beside an annotation file under which most of some pictures are found; its own, if none is."""
    bases = [path.parent, *([path.parent.parent] if 'annotations' in path.parent.name.lower() else [])]
    places = [
        folder
        for base in bases
        for folder in (
            base / 'images',
            base / 'WFLW_images',
            base,
            *sorted(child for child in base.iterdir() if child.is_dir()),
        )
        if folder.is_dir()
    ]
    names = list(pictures)
    found, best = 0, path.parent
    for place in places:
        count = sum(os.path.isfile(place / name) for name in names)
        if count > found:
            found, best = count, place
    return best
