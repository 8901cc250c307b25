"""Faces and pictures that two data sets share, whatever their files are called."""

import collections
import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ...datasets import FaceDataset, JoinedFaces, PublishedFaces, RepeatedFaces, SyntheticFaces
from ...datasets.base import FaceRecord

MIDDLE = 2**16  # so many bytes of two files of one size are compared
POINTS = 5  # so many visible points must agree before two records are one


def shared(train: FaceDataset, other: FaceDataset) -> tuple[list[str], list[str]]:
    """Ids of the other set's faces that the training set has, too; pictures of it with another face to train on.

    Two faces are one if they have the same landmarks, or boxes that overlap by half in the same picture.
    """
    known, asked = list(_rows(train)), list(_rows(other))
    records = {_record(face) for face in known} - {None}
    pictures = _pictures({face['path'] for face in known}, {face['path'] for face in asked})
    boxes = collections.defaultdict(list)
    for face in known:
        if face['path'] in pictures:
            boxes[pictures[face['path']]].append(face['box'])
    same: list[str] = []
    beside: dict[str, None] = {}
    for face in asked:
        there = boxes.get(pictures.get(face['path']), [])
        if _record(face) in records or any(_overlap(face['box'], box) > 0.5 for box in there):
            same.append(str(face['id']))
        elif there:
            beside[face['path']] = None
    return same, list(beside)


def _rows(data: FaceDataset) -> Iterator[FaceRecord]:
    """The records of a set, without its pictures; none of a set that does not list them."""
    if isinstance(data, JoinedFaces):
        for member in data.members:
            yield from _rows(member.dataset)
    elif isinstance(data, (RepeatedFaces, PublishedFaces)):
        yield from _rows(data.dataset if isinstance(data, RepeatedFaces) else data.reader)
    elif isinstance(data, SyntheticFaces):
        yield from ({'id': f'synthetic/{data.seed}/{data.start + i}', 'path': ''} for i in range(len(data)))
    else:
        yield from getattr(data, 'faces', ())


def _record(face: FaceRecord) -> Any:
    """What is the same of one face in two files of annotations."""
    if 'landmarks' not in face:
        return face['id']
    return np.asarray(face['landmarks'], np.float32).tobytes() if np.sum(face['visible'] > 0) >= POINTS else None


def _pictures(train: Iterable[str], other: Iterable[str]) -> dict[str, Any]:
    """What a picture is, by path: its file on the disk, or its bytes where the other set has a file of its size."""
    stats = [{path: os.stat(path) for path in paths if os.path.isfile(path)} for paths in (train, other)]
    sizes = [{stat.st_size for stat in found.values()} for found in stats]
    doubtful = sizes[0] & sizes[1]
    return {
        path: _bytes(path, stat.st_size) if stat.st_size in doubtful else (stat.st_dev, stat.st_ino)
        for found in stats
        for path, stat in found.items()
    }


def _bytes(path: str, size: int) -> tuple[int, bytes]:
    with open(path, 'rb') as file:
        file.seek(max(0, (size - MIDDLE) // 2))
        return size, hashlib.blake2b(file.read(MIDDLE)).digest()


def _overlap(a: Any, b: Any) -> float:
    """Intersection over union of two boxes."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    common = float(np.prod(np.clip(sides, 0, None)))
    return common / max(float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - common, 1e-9)
