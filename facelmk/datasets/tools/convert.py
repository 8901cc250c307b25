"""Data sets written in another format, and what that format cannot hold."""

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from ...errors import FacelmkError, UnknownName, did_you_mean
from ...markups import MARKUPS, convert
from ..base import FaceDataset, FaceRecord
from ..readers.wflw import ATTRIBUTES

LYING = (5, 6, 7, 8)  # EXIF's orientations in which width and height change places
HOLDS = {
    'coco': {'box', 'visible', 'norm', 'tags'},
    'csv': {'norm', 'tags'},
    'wflw': set(),
    'pts': set(),
    'lapa': set(),
}
ONLY = {'wflw': 98, 'lapa': 106}  # formats with one number of points


class Written(NamedTuple):
    """What came of a conversion: the first file or folder, how many faces it holds, and what is lost, in sentences."""

    place: Path
    faces: int
    lost: list[str]


def write_faces(
    dataset: FaceDataset,
    form: str,
    out: str | Path,
    markup: str | None = None,
    image_root: str | Path | None = None,
    pictures: str = 'link',
) -> Written:
    """Write all faces as 'coco', 'csv', 'wflw', 'pts' or 'lapa', in another mark-up if one is named.

    `out` is a file, for 'pts' and 'lapa' a folder, in which pictures are linked, copied or left out ('none').
    Pictures are named relative to `image_root`, or to the folder that the data set has them from. Pictures that a face
    carries along are written beside `out`, in a folder `images`.
    """
    if form not in FORMATS:
        raise UnknownName(f'{form!r} is no format to write. {did_you_mean(form, FORMATS)}')
    place = Path(out)
    target = MARKUPS[markup or dataset.markup.name]
    if ONLY.get(form, target.size) != target.size:
        raise FacelmkError(
            f'{form} holds {ONLY[form]} points a face, mark-up {target.name!r} has {target.size}; '
            'choose another format, or another mark-up to convert to'
        )
    faces = list(_rows(dataset, target.name, place, Path(image_root) if image_root else None))
    _refuse_gaps(faces, form, target.name)
    (place if form in ('pts', 'lapa') else place.parent).mkdir(parents=True, exist_ok=True)
    FORMATS[form](faces, place, dataset.subsets, pictures)
    return Written(place, len(faces), _lost(faces, form))


def _rows(dataset: FaceDataset, markup: str, out: Path, root: Path | None) -> Iterator[FaceRecord]:
    """Faces in the mark-up, with `name`, the picture's path below its root; carried pictures are saved."""
    for index in range(len(dataset)):
        face = dataset.face(index)
        points, visible = convert(face['landmarks'], face['visible'], dataset.markup.name, markup)
        face |= {'landmarks': points, 'visible': visible}
        if 'image' in face:
            name = f'{index + 1:06d}.png'
            path = out.parent / 'images' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), face.pop('image'))
            yield face | {'path': str(path), 'name': name}
        else:
            root = root or _root(dataset)
            yield face | {'name': Path(os.path.relpath(face['path'], root)).as_posix()}


def _root(dataset: FaceDataset) -> Path:
    """The folder that pictures are named from."""
    root = getattr(getattr(dataset, 'reader', dataset), 'image_root', None)
    if root is not None:
        return Path(root)
    parents = {str(Path(dataset.face(i)['path']).parent) for i in range(len(dataset))}
    return Path(os.path.commonpath(parents))


def _refuse_gaps(faces: Sequence[FaceRecord], form: str, markup: str) -> None:
    """A point without a place would be read as one at (0, 0) where a format tells no visibility."""
    if 'visible' in HOLDS[form]:
        return
    gaps = [face['id'] for face in faces if ((face['visible'] == 0) & (face['landmarks'] == 0).all(-1)).any()]
    if gaps:
        raise FacelmkError(
            f'{len(gaps)} faces lack points of mark-up {markup!r} (the first is {gaps[0]}), and {form} '
            'cannot say which; write coco'
        )


def _lost(faces: Sequence[FaceRecord], form: str) -> list[str]:
    """What the faces have and the format has no place for."""
    holds = HOLDS[form]
    hidden = sum(bool((face['visible'] < 1).any()) for face in faces)
    unlike = sum(not _is_square(face['box']) for face in faces)
    own = sum(face['norm'] is not None and not np.isclose(face['norm'], _side(face['box'])) for face in faces)
    foreign = {tag for face in faces for tag in face['tags']} - (set(ATTRIBUTES) if form == 'wflw' else set())
    told = {
        'visible': f'which points are not visible ({hidden} faces have some)' if hidden else '',
        'box': _lost_boxes(form, unlike),
        'norm': f"the normaliser of the file ({own} faces have one that is not the box's side)" if own else '',
        'tags': f'the subsets {", ".join(sorted(foreign))}' if foreign else '',
    }
    return [text for key, text in told.items() if text and key not in holds]


def _lost_boxes(form: str, unlike: int) -> str:
    if form == 'csv':
        return f'the shape of {unlike} boxes: squares of the longer side have their place' if unlike else ''
    return {
        'wflw': "the boxes, unless they are read with box='provided'",
        'pts': 'the boxes: the reader puts the tight box around the points',
        'lapa': 'the boxes: the reader takes the rectangle of the points',
    }.get(form, '')


def _side(box: NDArray) -> float:
    return float(max(box[2] - box[0], box[3] - box[1]))


def _is_square(box: NDArray) -> bool:
    return abs(float(box[2] - box[0]) - float(box[3] - box[1])) < 1e-3


def plain(values: ArrayLike) -> list[float]:
    """Numbers as short as they are told apart in 32 bits."""
    return [float(str(value)) for value in np.asarray(values, np.float32).ravel()]


def write_coco(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str) -> None:
    """COCO-style json; a box that is a square stands as center and scale, too, and tags as `tags`."""
    names = {name: i + 1 for i, name in enumerate(dict.fromkeys(face['name'] for face in faces))}
    paths = {face['name']: face['path'] for face in faces}
    images = [{'id': number, 'file_name': name} | _size(paths[name]) for name, number in names.items()]
    annotations = [_annotation(i + 1, face, names[face['name']]) for i, face in enumerate(faces)]
    out.write_text(
        json.dumps(
            {
                'info': {'description': 'written by facelmk data convert'},
                'subsets': list(subsets),
                'images': images,
                'annotations': annotations,
                'categories': [{'id': 1, 'name': 'face', 'supercategory': 'person', 'keypoints': [], 'skeleton': []}],
            }
        )
        + '\n'
    )


def _annotation(number: int, face: FaceRecord, picture: int) -> dict[str, Any]:
    x1, y1, x2, y2 = plain(face['box'])
    flags = np.where(face['visible'] >= 1, 2, face['visible'])
    keypoints = plain(np.column_stack([face['landmarks'], flags]))
    row = {
        'id': number,
        'image_id': picture,
        'category_id': 1,
        'iscrowd': 0,
        'keypoints': keypoints,
        'num_keypoints': int((face['visible'] > 0).sum()),
        'bbox': [x1, y1, x2 - x1, y2 - y1],
        'area': (x2 - x1) * (y2 - y1),
    }
    if _is_square(face['box']):
        row |= {'center': [(x1 + x2) / 2, (y1 + y2) / 2], 'scale': (x2 - x1) / 200}
    if face['norm'] is not None:
        row['box_size'] = face['norm']
    return row | ({'tags': list(face['tags'])} if face['tags'] else {})


def _size(path: str) -> dict[str, int]:
    """The picture's width and height as it stands upright; nothing where it cannot be read."""
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            lying = picture.getexif().get(0x0112) in LYING
    except Exception:  # damaged files and bombs make PIL's readers raise errors of any kind
        return {}
    return {'width': height, 'height': width} if lying else {'width': width, 'height': height}


def write_csv(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str) -> None:
    """HRNet's table, and one more for each subset beside it: NAME_subset.csv."""
    _table(faces, out)
    for subset in dict.fromkeys((*subsets, *(tag for face in faces for tag in face['tags']))):
        if part := [face for face in faces if subset in face['tags']]:
            _table(part, out.with_stem(f'{out.stem}_{subset}'))


def _table(faces: Sequence[FaceRecord], out: Path) -> None:
    sizes = any(face['norm'] is not None and not np.isclose(face['norm'], _side(face['box'])) for face in faces)
    with out.open('w', newline='', encoding='utf-8') as stream:
        writer = csv.writer(stream)
        count = len(faces[0]['landmarks']) if faces else 0
        writer.writerow(
            [
                'image_name',
                'scale',
                *['box_size'] * sizes,
                'center_w',
                'center_h',
                *(f'original_{i}_{axis}' for i in range(count) for axis in 'xy'),
            ]
        )
        for face in faces:
            x1, y1, x2, y2 = plain(face['box'])
            side = max(x2 - x1, y2 - y1)
            norm = side if face['norm'] is None else face['norm']
            writer.writerow(
                [face['name'], side / 200, *[norm] * sizes, (x1 + x2) / 2, (y1 + y2) / 2, *plain(face['landmarks'])]
            )


def write_wflw(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str) -> None:
    """WFLW's list; the box is its rectangle."""
    if spaced := [face['name'] for face in faces if len(face['name'].split()) > 1]:
        raise FacelmkError(
            f"WFLW's lists are parted by spaces, and {len(spaced)} pictures have spaces in their names "
            f'(the first is {spaced[0]!r}); rename them, or write another format'
        )
    lines = [
        ' '.join(
            [
                *map(str, plain(face['landmarks'])),
                *map(str, plain(face['box'])),
                *(str(int(name in face['tags'])) for name in ATTRIBUTES),
                face['name'],
            ]
        )
        for face in faces
    ]
    out.write_text('\n'.join(lines) + '\n', encoding='utf-8')


def write_pts(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str) -> None:
    """A .pts a face, in folders as the pictures', with the picture beside it."""
    for face, name in zip(faces, _own_names(faces, '/'), strict=True):
        picture = out / f'{name}{Path(face["name"]).suffix}'
        picture.parent.mkdir(parents=True, exist_ok=True)
        rows = '\n'.join(f'{x} {y}' for x, y in np.reshape(plain(face['landmarks']), (-1, 2)).tolist())
        picture.with_suffix('.pts').write_text(
            f'version: 1\nn_points:  {len(face["landmarks"])}\n{{\n{rows}\n}}\n', encoding='utf-8'
        )
        _bring(face['path'], picture, pictures)


def write_lapa(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str) -> None:
    """LaPa's folders: landmarks/NAME.txt and images/NAME.jpg."""
    for folder in ('landmarks', 'images'):
        (out / folder).mkdir(exist_ok=True)
    for face, name in zip(faces, _own_names(faces, '_'), strict=True):
        rows = '\n'.join(f'{x} {y}' for x, y in np.reshape(plain(face['landmarks']), (-1, 2)).tolist())
        (out / 'landmarks' / f'{name}.txt').write_text(f'{len(face["landmarks"])}\n{rows}\n', encoding='utf-8')
        _bring(face['path'], out / 'images' / f'{name}{Path(face["name"]).suffix}', pictures)


def _own_names(faces: Sequence[FaceRecord], separator: str) -> Iterator[str]:
    """Each face's name without ending; further faces of a picture, and pictures of one name, are numbered."""
    taken: set[str] = set()
    for face in faces:
        parts = [part for part in Path(face['name']).with_suffix('').parts if part not in ('..', '/')]
        name = free = separator.join(parts)
        number = 1
        while free in taken:
            number += 1
            free = f'{name}_{number}'
        taken.add(free)
        yield free


def _bring(source: str, place: Path, how: str) -> None:
    """The picture at its new place, if it is there and wanted."""
    if how == 'none' or not Path(source).is_file() or place.exists():
        return
    try:
        if how == 'copy':
            raise OSError
        place.symlink_to(Path(source).resolve())
    except OSError:  # a system without links
        shutil.copyfile(source, place)


Writer = Callable[[Sequence[FaceRecord], Path, Sequence[str], str], None]
FORMATS: dict[str, Writer] = {
    'coco': write_coco,
    'csv': write_csv,
    'wflw': write_wflw,
    'pts': write_pts,
    'lapa': write_lapa,
}
