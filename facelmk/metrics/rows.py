"""Rows of faces, kept as columns: 2,500 faces are a few arrays, not 2,500 tuples."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .once import once

DIGEST_BYTES = 16
Tags = tuple[str, ...]


def digest(face_id: Any) -> bytes:
    """Return what replaces the id of a face in packed rows."""
    return hashlib.blake2b(str(face_id).encode(), digest_size=DIGEST_BYTES).digest()


class Faces:
    """The ids and tags of N faces. Several metrics share them, and with them what is computed from them."""

    def __init__(self, ids: Sequence[Any], tags: Sequence[Tags]) -> None:
        self.ids, self.tags = list(ids), list(tags)
        self._tagged: dict[str, NDArray[np.bool_]] = {}

    @cached_property
    def digests(self) -> bytes:
        """The digests of all ids, one after another."""
        return b''.join(map(digest, self.ids))

    def tagged(self, tag: str) -> NDArray[np.bool_]:
        """Return whether each face (N,) has a tag."""
        if tag not in self._tagged:
            self._tagged[tag] = np.fromiter((tag in tags for tags in self.tags), bool, len(self.ids))
        return self._tagged[tag]

    def __getitem__(self, order: list[int]) -> 'Faces':
        return Faces([self.ids[i] for i in order], [self.tags[i] for i in order])


class Rows(Sequence):
    """Rows (id, ..., tags) of one class of NamedTuples, as columns; `rows.error` is the column of the field `error`.

    An index gives one row. A slice, a mask (N,) or a list of indices gives `Rows`.
    """

    def __init__(self, kind: Any, parts: Sequence[tuple[Faces, tuple[NDArray[Any], ...]]] = ()) -> None:
        self.kind, self.parts = kind, list(parts)

    @classmethod
    def of(cls, kind: Any, rows: Sequence[Any]) -> 'Rows':
        """Return rows as columns."""
        if isinstance(rows, Rows):
            return rows
        ids, *values, tags = list(zip(*rows, strict=True)) if len(rows) else [()] * len(kind._fields)
        return cls(kind, [(Faces(ids, tags), tuple(map(np.asarray, values)))] if len(rows) else ())

    def extend(self, rows: Sequence[Any]) -> None:
        """Add rows."""
        self.parts += Rows.of(self.kind, rows).parts

    def clear(self) -> None:
        """Remove all rows."""
        self.parts.clear()

    def __len__(self) -> int:
        return sum(len(faces.ids) for faces, _ in self.parts)

    def __iter__(self) -> Iterator[Any]:
        for faces, values in self.parts:
            yield from map(self.kind, faces.ids, *(_items(column) for column in values), faces.tags)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, (int, np.integer)):
            return next(iter(self[[range(len(self))[index]]]))
        if isinstance(index, slice) and index == slice(None):
            return Rows(self.kind, self.parts)
        chosen = np.arange(len(self))[index]
        if len(chosen) == len(self) and (chosen == np.arange(len(self))).all():
            return Rows(self.kind, self.parts)
        return self.ordered(self.faces[chosen.tolist()], chosen)

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name.startswith('_') or name in ('kind', 'parts') or name not in self.kind._fields[1:-1]:
            raise AttributeError(name)
        return self.columns[self.kind._fields.index(name) - 1]

    def ordered(self, faces: Faces, order: NDArray[np.int64]) -> 'Rows':
        """Return the rows `order` (N,), whose faces are these."""
        return Rows(self.kind, [(faces, tuple(column[order] for column in self.columns))])

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """The columns of the fields between id and tags."""
        if not self.parts:
            return tuple(np.zeros(0) for _ in self.kind._fields[1:-1])
        first, *others = (values for _, values in self.parts)
        return first if not others else tuple(map(np.concatenate, zip(first, *others, strict=True)))

    @property
    def faces(self) -> Faces:
        """The ids and tags of all rows."""
        if len(self.parts) == 1:
            return self.parts[0][0]
        return Faces(self.ids, [tags for faces, _ in self.parts for tags in faces.tags])

    @property
    def ids(self) -> list[Any]:
        """The ids of the faces."""
        if len(self.parts) == 1:
            return self.parts[0][0].ids
        return [name for faces, _ in self.parts for name in faces.ids]

    @property
    def digests(self) -> bytes:
        """The digests of the ids."""
        return b''.join(faces.digests for faces, _ in self.parts)

    def tagged(self, tag: str) -> NDArray[np.bool_]:
        """Return whether each face (N,) has a tag."""
        return np.concatenate([np.zeros(0, bool), *(faces.tagged(tag) for faces, _ in self.parts)])


def _items(column: NDArray[Any]) -> Sequence[Any]:
    """The entries of a column: Python's numbers, or arrays."""
    return column.tolist() if column.ndim == 1 else list(column)


def merged(shares: Sequence[Rows]) -> Rows:
    """Return one row a face, in the order of ids; of a face that the sampler gave out twice as padding, the first."""
    rows = Rows(shares[0].kind, [part for share in shares for part in share.parts])
    return rows.ordered(*_order(*(faces for faces, _ in rows.parts)))


@once
def _order(*parts: Faces) -> tuple[Faces, NDArray[np.int64]]:
    """The faces of several parts, each once, and their indices."""
    first: dict[Any, int] = {}
    for i, name in enumerate(name for faces in parts for name in faces.ids):
        first.setdefault(name, i)
    ids = sorted(first, key=str)
    order = [first[name] for name in ids]
    tags = [row for faces in parts for row in faces.tags]
    return Faces(ids, [tags[i] for i in order]), np.array(order, np.int64)


def pack(rows: Rows, layout: np.dtype, tags: Sequence[str]) -> bytes:
    """Return rows as bytes: the digest of the id, the values, and whether each of `tags` is set."""
    packed = np.zeros(len(rows), layout)
    if len(rows):
        packed['key'] = np.frombuffer(rows.digests, f'V{DIGEST_BYTES}')
        for name, values in zip(rows.kind._fields[1:-1], rows.columns, strict=True):
            packed[name] = values
        for i, tag in enumerate(tags):
            packed['tags'][:, i] = rows.tagged(tag)
    return packed.tobytes()


def unpack(kind: Any, packed: bytes, layout: np.dtype, tags: Sequence[str]) -> Rows:
    """Return the rows of a `pack`, whose ids are digests in hexadecimal."""
    table = np.frombuffer(packed, layout)
    keys, flags = (np.ascontiguousarray(table[name]).tobytes() for name in ('key', 'tags'))
    columns = tuple(np.ascontiguousarray(table[name]) for name in kind._fields[1:-1])
    return Rows(kind, [(unpacked_faces(keys, flags, tuple(tags)), columns)])


@lru_cache(maxsize=1)  # the metrics of an evaluator have the same faces
def unpacked_faces(keys: bytes, flags: bytes, tags: Tags) -> Faces:
    """Return the faces of packed ids and tags."""
    digits, step = keys.hex(), 2 * DIGEST_BYTES
    ids = [digits[i : i + step] for i in range(0, len(digits), step)]
    if not tags:
        return Faces(ids, [()] * len(ids))
    rows = list(map(tuple, np.frombuffer(flags, bool).reshape(-1, len(tags)).tolist()))
    sets = {row: tuple(tag for tag, is_set in zip(tags, row, strict=True) if is_set) for row in set(rows)}
    return Faces(ids, [sets[row] for row in rows])
