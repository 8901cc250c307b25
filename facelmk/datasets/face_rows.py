"""The rows that a reader returns become arrays, or stay dicts where these hold other objects."""

import collections
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import SCALARS, FaceColumns, NamesOfDicts, make_columns
from .records import FaceRecord, Mask, is_valid

STANDARD = ('id', 'path', 'box', 'landmarks', 'visible', 'norm', 'tags')
MAX_INT = 1 << 63


class FaceRows(NamesOfDicts, list[FaceRecord]):
    """Faces that cannot be arrays, because their dicts hold other objects; it has the methods of `FaceColumns`."""

    def take(self, rows: NDArray | Sequence[int]) -> 'FaceRows':
        return FaceRows(self[i] for i in rows)

    def valid(self) -> Mask:
        return np.array([is_valid(face) for face in self], bool)

    def with_tags(self, tags: Sequence[tuple[str, ...]]) -> 'FaceRows':
        return self._with('tags', tags)

    def with_ids(self, ids: Sequence[str]) -> 'FaceRows':
        return self._with('id', ids)

    def with_array(self, name: str, values: NDArray) -> 'FaceRows':
        return self._with(name, values)

    def _with(self, name: str, values: Sequence[Any] | NDArray) -> 'FaceRows':
        return FaceRows(face | {name: value} for face, value in zip(self, values, strict=True))


def as_columns(faces: Sequence[FaceRecord]) -> FaceColumns | FaceRows:
    """Return faces as arrays, or as a list of dicts if these hold something else than numbers and equal arrays."""
    if isinstance(faces, (FaceColumns, FaceRows)):
        return faces
    if not faces:
        return FaceRows()
    names = [name for name in faces[0] if name not in ('id', 'path', 'tags')]
    ordered = [name for name in STANDARD if name in names] + [name for name in names if name not in STANDARD]
    if any(face.keys() != faces[0].keys() for face in faces) or not set(STANDARD) <= faces[0].keys():
        return FaceRows(faces)
    columns = {name: _as_array(name, [face[name] for face in faces]) for name in ordered}
    texts = {name: [face[name] for face in faces] for name in ('id', 'path', 'tags')}
    is_text = all(type(one) is str for name in ('id', 'path') for one in texts[name])
    is_tags = all(type(one) is tuple and all(type(tag) is str for tag in one) for one in texts['tags'])
    known = {name: column for name, column in columns.items() if column and not name.startswith('_')}
    if len(known) < len(names) or not (is_text and is_tags):
        return FaceRows(faces)
    return make_columns(texts['id'], texts['path'], texts['tags'], known, _common_start(texts['path']))


def _common_start(texts: Sequence[str]) -> str:
    """Return the letters with which all texts begin."""
    first, last = min(texts), max(texts)
    return first[: next((i for i, letter in enumerate(first) if last[i : i + 1] != letter), len(first))]


def _as_array(name: str, values: list[Any]) -> tuple[str, NDArray] | None:
    """Return the kind of an entry and its values as one array, or None if they cannot be one."""
    first = values[0]
    if name == 'norm' and all(type(value) in (int, float, type(None)) and value != 0 for value in values):
        return 'norm', np.array([np.nan if value is None else value for value in values], np.float64)
    if isinstance(first, np.ndarray) and first.dtype.kind in 'biuf':
        kinds = {(one.dtype, one.shape) if isinstance(one, np.ndarray) else None for one in values}
        return ('array', np.stack(values)) if len(kinds) == 1 else None
    kind = type(first).__name__
    if kind in SCALARS and name != 'norm' and all(type(value) is type(first) for value in values):
        fits = kind != 'int' or all(-MAX_INT <= value < MAX_INT for value in values)
        return (kind, np.array(values)) if fits else None
    return None


def make_ids_unique(faces: FaceColumns | FaceRows) -> FaceColumns | FaceRows:
    """Return the faces; if several have the same id (the name of their picture), a running number is added to it."""
    ids = faces.ids()
    total = collections.Counter(ids)
    if len(total) == len(ids):
        return faces
    count: collections.Counter[str] = collections.Counter()
    unique = []
    for name in ids:
        count[name] += 1
        unique.append(f'{name}#{count[name]}' if total[name] > 1 else name)
    return faces.with_ids(unique)
