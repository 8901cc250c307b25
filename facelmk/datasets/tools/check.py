"""Check a data set: list every defect by file and record, not only the first."""

import hashlib
import io
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataDefect, FacelmkError
from ...files.progress import track
from ..base import FaceDataset
from ..defects import Defect, short
from ..images.decode import ORIENTATION, TRANSPOSES, decode, read_file
from ..images.limits import open_lazily, read_header
from ..joined import JoinedFaces, RepeatedFaces
from ..readers.coco import CocoFaces
from ..readers.published import PublishedFaces
from ..records import FaceRecord, is_valid
from .check_points import MIN_FACES, SWAPPED_SHARE, check_duplicates, check_points, is_swapped

Size = tuple[int, int]


@dataclass
class CheckResult:
    """The result of a check: `hashes` are the paths of the pictures by the hash of their content, `turned` their paths
    if their EXIF orientation turns them.
    """

    faces: int = 0
    defects: list[Defect] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    pictures: int = 0
    turned: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return the result in one line."""
        number = f'{len(self.defects)} defect{"s" * (len(self.defects) != 1)}' if self.defects else 'no defect'
        return f'{self.faces} faces, {self.pictures} pictures: {number}'

    def to_dict(self) -> dict[str, Any]:
        """Return the result for json."""
        defects = [defect._asdict() for defect in self.defects]
        return {'faces': self.faces, 'pictures': self.pictures, 'defects': defects}


def check(read: Callable[[str], FaceDataset], pictures: str = 'decode') -> CheckResult:
    """Check each face of a data set.

    `read` is called with the value of the readers' argument `defects`. `pictures` says how pictures are checked:
    'decode', 'there' (only whether they exist) or 'none'.
    """
    result = CheckResult()
    try:
        dataset = read('keep')
    except DataDefect as error:
        result.defects.append(Defect('', 'the data set', str(error)))
        return result
    result.faces = len(dataset)
    for reader in _find_readers(dataset, result.defects):
        result.defects += getattr(reader, 'defects', [])
        _ReaderCheck(reader, pictures, result).run()
    return result


def shared_pictures(results: Mapping[str, CheckResult]) -> list[str]:
    """Return a note for each set that shares pictures, byte by byte, with the training set."""
    train = results.get('train')
    notes = []
    for name, result in results.items():
        common = sorted(result.hashes[key] for key in (train.hashes if train else {}) if key in result.hashes)
        if name != 'train' and common:
            notes.append(f'{len(common)} pictures of {name} are in train, too; the first is {common[0]}')
    return notes


def turned_pictures(results: Mapping[str, CheckResult]) -> list[str]:
    """Return a note for each set with pictures that their EXIF orientation turns."""
    return [
        f'{len(result.turned)} of {result.pictures} pictures of {name} are turned by their EXIF orientation; the first '
        f'is {result.turned[0]}. Landmarks must be those of the upright picture: facelmk data browse draws them'
        for name, result in results.items()
        if result.turned
    ]


def is_turned(content: bytes) -> bool:
    """Whether the EXIF orientation of a picture turns or mirrors it."""
    if not any(word in content for word in (b'Exif', b'eXIf', b'EXIF')):  # in JPEG, PNG, WebP; most have none
        return False
    try:
        header = read_header(content)
        return (
            header is not None
            and open_lazily(io.BytesIO(content), header.kind).getexif().get(ORIENTATION) in TRANSPOSES
        )
    except Exception:  # damaged EXIF data raise errors of any class, and do not turn the picture
        return False


def _find_readers(dataset: Any, defects: list[Defect]) -> Iterator[FaceDataset]:
    """Yield the readers that a data set consists of; compare its size with the published one."""
    if isinstance(dataset, JoinedFaces):
        for member in dataset.members:
            yield from _find_readers(member.dataset, defects)
    elif isinstance(dataset, RepeatedFaces):
        yield from _find_readers(dataset.dataset, defects)
    elif isinstance(dataset, PublishedFaces):
        defects += _check_counts(dataset)
        yield from _find_readers(dataset.reader, defects)
    else:
        yield dataset


def _check_counts(dataset: PublishedFaces) -> list[Defect]:
    """Return where the number of faces differs from the published number."""
    tags = Counter(tag for face in dataset.reader.faces for tag in face['tags'])
    counts = ({} if dataset.only else {dataset.split: len(dataset)}) | dict(tags)
    file = str(dataset.reader.ann_file)
    return [
        Defect(file, name, f'{counts[name]} faces, {published} were published')
        for name, published in dataset.counts.items()
        if name in counts and counts[name] != published
    ]


class _ReaderCheck:
    """The check of one reader's faces; it adds to a result."""

    def __init__(self, reader: FaceDataset, pictures: str, result: CheckResult) -> None:
        self.reader, self.pictures, self.result = reader, pictures, result
        file = str(getattr(reader, 'ann_file', type(reader).__name__))
        self.file = str(getattr(reader, 'image_root', '')) if file in ('', '.') else file
        self.stated_sizes = reader.picture_sizes() if isinstance(reader, CocoFaces) and len(reader) else {}
        self.sizes: dict[str, Size | None] = {}
        self.faces_by_picture: dict[str, list[tuple[int, np.ndarray]]] = defaultdict(list)
        self.swapped: list[bool] = []

    def run(self) -> None:
        for index in track(range(len(self.reader)), f'checking {Path(self.file).name}', unit='faces/s'):
            try:
                face = self.reader.face(index)
            except DataDefect as error:  # a picture inside an annotation file
                self._add(f'record {index + 1}', str(error))
            else:
                self._check_face(index, face)
        if len(self.swapped) >= MIN_FACES and sum(self.swapped) > SWAPPED_SHARE * len(self.swapped):
            self._add(
                'the data set',
                f'left and right are swapped in {sum(self.swapped)} of {len(self.swapped)} faces: the points have '
                f'another landmark scheme than {self.reader.markup.name!r}, or the faces were mirrored without '
                'exchanging left and right points',
            )

    def _add(self, record: str, wrong: str) -> None:
        self.result.defects.append(Defect(self.file, record, wrong))

    def _check_face(self, index: int, face: FaceRecord) -> None:
        record = f'record {index + 1} ({short(face["id"])})'
        size = self._picture_size(face, record)
        if not is_valid(face):  # the reader has listed its defect
            return
        for wrong in check_points(face, size):
            self._add(record, wrong)
        swapped = is_swapped(face, self.reader.markup)
        self.swapped += [] if swapped is None else [swapped]
        if swapped:
            self._add(record, 'left and right eye are on the wrong sides: a mirrored face, or another landmark scheme')
        for wrong in check_duplicates(face['landmarks'], index, self.faces_by_picture[str(face['path'])]):
            self._add(record, wrong)

    def _picture_size(self, face: FaceRecord, record: str) -> Size | None:
        """Return width and height of a face's picture if known; report a defect of a picture once."""
        path = str(face['path'])
        if 'image' in face:
            self.result.pictures += 1
            return face['image'].shape[1], face['image'].shape[0]
        if self.pictures == 'none' or path in self.sizes:
            return self.sizes.get(path)
        self.result.pictures += 1
        size, wrong = self._read_picture(path)
        if size and self.stated_sizes.get(path, size) != size:
            stated = 'x'.join(map(str, self.stated_sizes[path]))
            wrong = f'is {size[0]}x{size[1]} pixels, the json says {stated}'
        if wrong:
            self._add(record, f'its picture {path} {wrong}')
        self.sizes[path] = size
        return size

    def _read_picture(self, path: str) -> tuple[Size | None, str]:
        """Return a picture's width and height, and what is wrong with it."""
        if self.pictures == 'there':
            return None, '' if os.path.isfile(path) else 'is not there'
        try:
            content = read_file(path)
        except FacelmkError as error:
            return None, f'cannot be read ({getattr(error.__cause__, "strerror", None) or error})'
        try:
            image = decode(content, path)
        except DataDefect as error:
            return None, f'cannot be decoded: {str(error).removeprefix(f"{path}: no picture: ")}'
        self.result.turned += [path] if is_turned(content) else []
        self.result.hashes[hashlib.blake2b(content, digest_size=16).hexdigest()] = path
        return (image.shape[1], image.shape[0]), ''
