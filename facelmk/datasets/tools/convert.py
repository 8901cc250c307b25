"""Convert a data set to another format, and say what that format cannot hold."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from ...errors import FacelmkError, UnknownName, did_you_mean
from ...files.atomic import check_output, output_folder, write_bytes
from ...files.progress import track
from ...markups import MARKUPS, convert
from ..base import FaceDataset
from ..readers.wflw import ATTRIBUTES
from ..records import FaceRecord
from .writers import FORMATS
from .writers.common import has_own_norm, is_square


class Conversion(NamedTuple):
    """The result: the first file or the folder, how many faces it holds, and what is lost, in sentences."""

    path: Path
    faces: int
    lost: list[str]


def write_faces(
    dataset: FaceDataset,
    form: str,
    out: str | Path,
    markup: str | None = None,
    image_root: str | Path | None = None,
    pictures: str = 'link',
) -> Conversion:
    """Write all faces in one of `FORMATS`, converted to the landmark scheme `markup` if given.

    `out` is a file, or for 'pts', 'lapa' and 'labelme' a folder; `pictures` says whether their pictures become a
    'link', a 'copy' or 'none'. Names of pictures are relative to `image_root`, by default the folder from which the
    data set reads them. Images that a face contains are written to a folder `images` beside `out`. All files appear
    together, at the end.
    """
    if form not in FORMATS:
        raise UnknownName(f'{form!r} is no format to write. {did_you_mean(form, FORMATS)}')
    path, target = Path(out), MARKUPS[markup or dataset.markup.name]
    size = FORMATS[form].size
    if size not in (None, target.size):
        raise FacelmkError(
            f'{form} holds {size} points for each face, but the landmark scheme {target.name!r} has {target.size}. '
            'Choose another format, or another landmark scheme to convert to'
        )
    check_output(path, FORMATS[form].is_folder)
    with output_folder(path.parent, last=[path.name], inside=True) as draft:
        faces = list(_converted_faces(dataset, target.name, draft, Path(image_root) if image_root else None))
        _check_gaps(faces, form, target.name)
        FORMATS[form].write(faces, draft / path.name, dataset.subsets, pictures, target)
    return Conversion(path, len(faces), _lost(faces, form))


def _converted_faces(dataset: FaceDataset, markup: str, draft: Path, root: Path | None) -> Iterator[FaceRecord]:
    """Yield faces in a landmark scheme, with `name`, the path of the picture below its root; write contained images."""
    for index in track(range(len(dataset)), 'converting', unit='faces/s'):
        face = dataset.face(index)
        points, visible = convert(face['landmarks'], face['visible'], dataset.markup.name, markup)
        face |= {'landmarks': points, 'visible': visible}
        if 'image' in face:
            name = f'{index + 1:06d}.png'
            path = draft / 'images' / name
            write_bytes(path, cv2.imencode('.png', face.pop('image'))[1].tobytes())
            yield face | {'path': str(path), 'name': name}
        else:
            root = root or pictures_of(dataset)
            yield face | {'name': Path(os.path.relpath(face['path'], root)).as_posix()}


def pictures_of(dataset: FaceDataset) -> Path:
    """Return the folder from which a data set reads its pictures."""
    root = getattr(getattr(dataset, 'reader', dataset), 'image_root', None)
    if root is not None:
        return Path(root)
    return Path(os.path.commonpath({str(Path(dataset.face(i)['path']).parent) for i in range(len(dataset))}))


def _check_gaps(faces: Sequence[FaceRecord], form: str, markup: str) -> None:
    """Refuse missing points in a format without visibility, where they would become points at (0, 0)."""
    if 'visible' in FORMATS[form].fields:
        return
    gaps = [face['id'] for face in faces if ((face['visible'] == 0) & (face['landmarks'] == 0).all(-1)).any()]
    if gaps:
        raise FacelmkError(
            f'{len(gaps)} faces lack points of the landmark scheme {markup!r} (the first is {gaps[0]}), and {form} '
            'cannot mark them. Write coco'
        )


def _lost(faces: Sequence[FaceRecord], form: str) -> list[str]:
    """Return what the faces have and the format cannot hold."""
    hidden = sum(bool((face['visible'] < 1).any()) for face in faces)
    not_square = sum(not is_square(face['box']) for face in faces)
    own_norm = sum(map(has_own_norm, faces))
    tags = {tag for face in faces for tag in face['tags']} - (set(ATTRIBUTES) if form == 'wflw' else set())
    squares = f'the shape of {not_square} boxes: they become squares with the longer side'
    fractions = any((np.rint(face['landmarks']) != face['landmarks']).any() for face in faces)
    lost = {
        'fractions': (
            fractions and FORMATS[form].whole_pixels,
            'the fractions of pixels: points and boxes are rounded to whole pixels',
        ),
        'visible': (hidden, f'which points are not visible ({hidden} faces have some)'),
        'box': (not_square, squares) if form == 'csv' else (True, FORMATS[form].lost_boxes),
        'norm': (own_norm, f"the normaliser of the file ({own_norm} faces have one that is not the box's side)"),
        'tags': (tags, f'the subsets {", ".join(sorted(tags))}'),
    }
    return [text for field, (any_lost, text) in lost.items() if any_lost and field not in FORMATS[form].fields]
