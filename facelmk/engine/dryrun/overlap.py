"""Faces and pictures that two data sets share, under whatever file names."""

import collections
import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ...datasets import FacesInPictures, JoinedFaces, PublishedFaces, RepeatedFaces, SyntheticFaces
from ...datasets.base import FaceRecord, SampleDataset

COMPARED_BYTES = 2**16  # in the middle of two files of one size
MIN_POINTS = 5  # visible points that must agree before two records are one face


def shared_faces(train: SampleDataset, other: SampleDataset) -> tuple[list[str], list[str]]:
    """Ids of the other set's faces that the training set has, too; pictures of it that show another training face.

    Two faces are one if they have the same landmarks, or boxes that overlap by half in the same picture.
    """
    train_faces, other_faces = list(_records(train)), list(_records(other))
    train_keys = {_face_key(face) for face in train_faces} - {None}
    pictures = _picture_keys({face['path'] for face in train_faces}, {face['path'] for face in other_faces})
    boxes = collections.defaultdict(list)
    for face in train_faces:
        if face['path'] in pictures:
            boxes[pictures[face['path']]].append(face['box'])
    same: list[str] = []
    same_picture: dict[str, None] = {}
    for face in other_faces:
        neighbours = boxes.get(pictures.get(face['path']), [])
        if _face_key(face) in train_keys or any(_overlap(face['box'], box) > 0.5 for box in neighbours):
            same.append(str(face['id']))
        elif neighbours:
            same_picture[face['path']] = None
    return same, list(same_picture)


def _records(data: SampleDataset) -> Iterator[FaceRecord]:
    """The records of a set without its pictures; none of a set that does not list them."""
    if isinstance(data, JoinedFaces):
        for member in data.members:
            yield from _records(member.dataset)
    elif isinstance(data, (RepeatedFaces, FacesInPictures)):
        yield from _records(data.dataset)
    elif isinstance(data, PublishedFaces):
        yield from _records(data.reader)
    elif isinstance(data, SyntheticFaces):
        yield from ({'id': f'synthetic/{data.seed}/{data.start + i}', 'path': ''} for i in range(len(data)))
    else:
        yield from getattr(data, 'faces', ())


def _face_key(face: FaceRecord) -> Any:
    """A value that is equal for one face in two annotation files."""
    if 'landmarks' not in face:
        return face['id']
    visible = np.sum(face['visible'] > 0)
    return np.asarray(face['landmarks'], np.float32).tobytes() if visible >= MIN_POINTS else None


def _picture_keys(train: Iterable[str], other: Iterable[str]) -> dict[str, Any]:
    """A key for each picture's path: its file on the disk, or its bytes where the other set has a file of its size."""
    stats = [{path: os.stat(path) for path in paths if os.path.isfile(path)} for paths in (train, other)]
    sizes = [{stat.st_size for stat in files.values()} for files in stats]
    common_sizes = sizes[0] & sizes[1]
    return {
        path: _content_key(path, stat.st_size) if stat.st_size in common_sizes else (stat.st_dev, stat.st_ino)
        for files in stats
        for path, stat in files.items()
    }


def _content_key(path: str, size: int) -> tuple[int, bytes]:
    with open(path, 'rb') as file:
        file.seek(max(0, (size - COMPARED_BYTES) // 2))
        return size, hashlib.blake2b(file.read(COMPARED_BYTES)).digest()


def _overlap(a: Any, b: Any) -> float:
    """Intersection over union of two boxes."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    common = float(np.prod(np.clip(sides, 0, None)))
    return common / max(float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - common, 1e-9)
