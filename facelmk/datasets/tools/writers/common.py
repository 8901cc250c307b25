"""What several writers need: short numbers, the shape of boxes, names of files, pictures."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....files.atomic import write_bytes
from ...as_text import to_floats
from ...records import FaceRecord


def point_lines(face: FaceRecord) -> str:
    """Return one line x y for each point."""
    return '\n'.join(f'{x} {y}' for x, y in np.reshape(to_floats(face['landmarks']), (-1, 2)).tolist())


def by_picture(faces: Sequence[FaceRecord]) -> dict[str, list[FaceRecord]]:
    """Return the faces of each picture by the name of the picture."""
    groups: dict[str, list[FaceRecord]] = {}
    for face in faces:
        groups.setdefault(face['name'], []).append(face)
    return groups


def longer_side(box: NDArray) -> float:
    """Return the longer side of a box."""
    return float(max(box[2] - box[0], box[3] - box[1]))


def is_square(box: NDArray) -> bool:
    """Return whether both sides of a box are equal."""
    return abs(float(box[2] - box[0]) - float(box[3] - box[1])) < 1e-3


def has_own_norm(face: FaceRecord) -> bool:
    """Return whether the normaliser is another number than the side of the box."""
    return face['norm'] is not None and not np.isclose(face['norm'], longer_side(face['box']))


def file_names(faces: Sequence[FaceRecord], separator: str) -> Iterator[str]:
    """Yield a different name without suffix for each face: its picture's, with a number if that is used already."""
    used: set[str] = set()
    for face in faces:
        parts = [part for part in Path(face['name']).with_suffix('').parts if part not in ('..', '/')]
        name = unused = separator.join(parts)
        number = 1
        while unused in used:
            number += 1
            unused = f'{name}_{number}'
        used.add(unused)
        yield unused


def add_picture(source: str, target: Path, how: str, root: Path) -> None:
    """Put a picture at a new path as a 'link' or a 'copy'; do nothing for 'none' or if it does not exist.

    A link within `root` is relative, because `root` is a draft that will be moved.
    """
    if how == 'none' or not Path(source).is_file() or target.exists():
        return
    if how == 'link':
        try:
            inside = Path(source).is_relative_to(root)
            target.symlink_to(os.path.relpath(source, target.parent) if inside else Path(source).resolve())
            return
        except OSError:  # a system without links
            pass
    write_bytes(target, Path(source).read_bytes())
