"""What is wrong with a data set: every defect by file and record, not only the first."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, FacelmkError
from ...markups import Markup
from ..base import FaceDataset
from ..defects import Defect, collecting, short
from ..images.decode import decode, read_file
from ..joined import JoinedFaces, RepeatedFaces
from ..readers.coco import CocoFaces
from ..readers.published import PublishedFaces
from ..readers.records import FaceRecord

OUTSIDE = 0.5  # of the box's longer side: how far a point may lie outside the picture, as many do at its border
LARGER = 5.0  # how many times as large as its points a box may be
SHARE, ENOUGH = 0.2, 10  # of at least so many faces: with more swapped ones than that, it is the set that is wrong
SWAPPED = -0.15  # of the distance from eyes to mouth: how far the left eye may lie right of the right one, in profile


@dataclass
class Found:
    """What a check found; `prints` are the pictures' paths by their content."""

    faces: int = 0
    defects: list[Defect] = field(default_factory=list)
    prints: dict[str, str] = field(default_factory=dict)
    pictures: int = 0

    def summary(self) -> str:
        """The result in one line."""
        wrong = f'{len(self.defects)} defect{"s" * (len(self.defects) != 1)}' if self.defects else 'no defect'
        return f'{self.faces} faces, {self.pictures} pictures: {wrong}'

    def told(self) -> dict[str, Any]:
        """The result for json."""
        return {
            'faces': self.faces,
            'pictures': self.pictures,
            'defects': [defect._asdict() for defect in self.defects],
        }


def check(read: Callable[[], FaceDataset], pictures: str = 'decode') -> Found:
    """Read a data set and look at each face; `pictures` are to 'decode', only to be 'there', or 'none' of it."""
    found = Found()
    with collecting() as defects:
        found.defects = defects
        try:
            dataset = read()
        except DataDefect as error:
            defects.append(Defect('', 'the data set', str(error)))
            return found
        found.faces = len(dataset)
        for reader in _readers(dataset, defects):
            _check_reader(reader, pictures, found)
    return found


def shared_pictures(found: Mapping[str, Found]) -> list[str]:
    """Which pictures are in the training set and in another one, byte by byte the same."""
    train = found.get('train')
    notes = []
    for name, result in found.items():
        common = sorted(result.prints[key] for key in (train.prints if train else {}) if key in result.prints)
        if name != 'train' and common:
            notes.append(f'{len(common)} pictures of {name} are among those of train, too; the first is {common[0]}')
    return notes


def _readers(dataset: Any, defects: list[Defect]) -> Iterator[FaceDataset]:
    """The readers of files that a data set is made of; published numbers are compared on the way."""
    if isinstance(dataset, JoinedFaces):
        for member in dataset.members:
            yield from _readers(member.dataset, defects)
    elif isinstance(dataset, RepeatedFaces):
        yield from _readers(dataset.dataset, defects)
    elif isinstance(dataset, PublishedFaces):
        defects += _wrong_counts(dataset)
        yield from _readers(dataset.reader, defects)
    else:
        yield dataset


def _wrong_counts(dataset: PublishedFaces) -> list[Defect]:
    """Where a set has other numbers of faces than were published."""
    tags = Counter(tag for face in dataset.reader.faces for tag in face['tags'])
    counted = ({} if dataset.only else {dataset.split: len(dataset)}) | dict(tags)
    file = str(dataset.reader.ann_file)
    return [
        Defect(file, name, f'{counted[name]} faces, {wanted} were published')
        for name, wanted in dataset.counts.items()
        if name in counted and counted[name] != wanted
    ]


def _check_reader(reader: FaceDataset, pictures: str, found: Found) -> None:
    file = str(getattr(reader, 'ann_file', type(reader).__name__))
    if file in ('', '.'):
        file = str(getattr(reader, 'image_root', ''))
    told = {(defect.file, defect.record) for defect in found.defects}
    listed = reader.sizes() if isinstance(reader, CocoFaces) else {}
    seen: dict[str, tuple[int, int] | None] = {}
    earlier: dict[str, list[tuple[int, NDArray]]] = defaultdict(list)
    sides: list[bool] = []
    for index in range(len(reader)):
        try:
            face = reader.face(index)
        except DataDefect as error:  # a picture in an annotation file
            found.defects.append(Defect(file, f'record {index + 1}', str(error)))
            continue
        record = f'record {index + 1} ({short(face["id"])})'
        path = str(face['path'])
        size = _size_of(face, (file, record), pictures, seen, found, listed)
        if (file, record) in told or not np.isfinite(face['landmarks']).all():
            continue
        wrong = [
            *_wrong_points(face, size),
            *_wrong_sides(face, reader.markup, sides),
            *_again(face['landmarks'], index, earlier[path]),
        ]
        found.defects += [Defect(file, record, text) for text in wrong]
    if len(sides) >= ENOUGH and sum(sides) > SHARE * len(sides):
        found.defects.append(
            Defect(
                file,
                'the data set',
                f'left and right are swapped in {sum(sides)} of {len(sides)} '
                f'faces: the points of another mark-up than {reader.markup.name!r}, or faces that '
                'were mirrored without exchanging left and right points',
            )
        )


def _size_of(
    face: FaceRecord,
    place: tuple[str, str],
    pictures: str,
    seen: dict[str, tuple[int, int] | None],
    found: Found,
    listed: Mapping[str, tuple[int, int]],
) -> tuple[int, int] | None:
    """Width and height of a face's picture if it can be known; what is wrong with the picture is told once."""
    path = str(face['path'])
    if 'image' in face:
        found.pictures += 1
        return face['image'].shape[1], face['image'].shape[0]
    if pictures == 'none' or path in seen:
        return seen.get(path)
    found.pictures += 1
    size, wrong = _look(path, pictures, found)
    if size and listed.get(path, size) != size:
        wrong = f'is {size[0]}x{size[1]} pixels, the json says {"x".join(map(str, listed[path]))}'
    if wrong:
        found.defects.append(Defect(*place, f'its picture {path} {wrong}'))
    seen[path] = size
    return size


def _look(path: str, pictures: str, found: Found) -> tuple[tuple[int, int] | None, str]:
    """A picture's width and height, and what is wrong with it."""
    if pictures == 'there':
        return None, '' if os.path.isfile(path) else 'is not there'
    try:
        content = read_file(path)
    except FacelmkError as error:
        return None, f'cannot be read ({getattr(error.__cause__, "strerror", None) or error})'
    try:
        image = decode(content, path)
    except DataDefect as error:
        return None, f'is none: {str(error).removeprefix(f"{path}: no picture: ")}'
    found.prints[hashlib.blake2b(content, digest_size=16).hexdigest()] = path
    return (image.shape[1], image.shape[0]), ''


def _wrong_points(face: FaceRecord, size: tuple[int, int] | None) -> Iterator[str]:
    """What is wrong with a face's points and box."""
    seen = face['visible'] > 0
    if not seen.any():
        yield 'no point is visible'
        return
    points, box = face['landmarks'][seen].astype(np.float64), face['box'].astype(np.float64)
    side = float(max(box[2:] - box[:2]))
    if size is not None:
        beyond = np.maximum(-points, points - (np.array(size) - 1)).max(-1)
        if beyond.max() > OUTSIDE * side:
            far = np.flatnonzero(seen)[beyond > OUTSIDE * side]
            yield (
                f'{len(far)} points lie up to {beyond.max():.0f} pixels outside the picture of {size[0]}x{size[1]} '
                f'(the first is point {far[0]})'
            )
            return
    middle, reach = (box[:2] + box[2:]) / 2, np.abs((points.min(0) + points.max(0)) / 2 - (box[:2] + box[2:]) / 2)
    if side < 1:
        yield f'its box is {side:.2g} pixels wide'
    elif reach.max() > side:
        yield f'its points lie {reach.max():.0f} pixels beside its box (centre {middle.round().tolist()})'
    elif side > LARGER * max(np.ptp(points, 0).max(), 1):
        yield f'its box is {side:.0f} pixels wide, its points {np.ptp(points, 0).max():.0f}: the box of a body?'


def _wrong_sides(face: FaceRecord, markup: Markup, sides: list[bool]) -> Iterator[str]:
    """Whether the left eye lies clearly on the right, as seen from eyes to mouth; `sides` gathers what was found."""
    if markup.five is None or not all(face['visible'][list(group)].min() > 0 for group in markup.five):
        return
    left, right, _, *corners = markup.five_points(face['landmarks'].astype(np.float64))
    across, down = right - left, np.mean(corners, 0) - (left + right) / 2
    sides.append(bool(across[0] * down[1] - across[1] * down[0] < SWAPPED * max(float(down @ down), 1e-9)))
    if sides[-1]:
        yield 'left and right eye are on the wrong sides: a mirrored face, or the points of another mark-up'


def _again(points: NDArray, index: int, earlier: list[tuple[int, NDArray]]) -> Iterator[str]:
    """Whether the same points were there before in the same picture."""
    for number, others in earlier:
        if np.abs(points - others).max() < 0.5:
            yield f'the same face as record {number + 1}'
            break
    earlier.append((index, points))
