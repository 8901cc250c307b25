"""Many faces as arrays: one record of fixed size for each face, and all names in one string of bytes.

A face becomes a dict only when it is asked for, so a million faces cost arrays, not a million dicts.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from .records import FaceRecord, Mask

Texts = bytes | memoryview
ENCODING = 'utf-8', 'surrogatepass'  # a defective name may hold half a surrogate pair
SCALARS = {'int': int, 'float': float, 'bool': bool}
PLACES = struct.Struct('<QIII')  # the first four entries of a record


class Field(NamedTuple):
    """One entry of a face: its name, what it is in the face, and its dtype there, its dtype and shape in the record.

    `kind` is 'array', 'norm' (a number or None, stored as NaN), 'int', 'float' or 'bool'.
    """

    name: str
    kind: str
    dtype: str
    stored: str
    shape: tuple[int, ...] = ()


def record_dtype(fields: Iterable[Field]) -> np.dtype:
    """Return the dtype of a record: where its texts start, their lengths, its tags, its fields and a checksum."""
    own = [(field.name, field.stored, field.shape) for field in fields]
    texts = [('_start', '<u8'), ('_path', '<u4'), ('_id', '<u4'), ('_tags', '<u4')]
    return np.dtype([*texts, *own, ('_sum', '<u4')])


class NamesOfDicts:
    """Paths, ids and tags, read from the dict of each face."""

    def paths(self: Iterable[FaceRecord]) -> list[str]:
        """Return the path of each face."""
        return [face['path'] for face in self]

    def ids(self: Iterable[FaceRecord]) -> list[str]:
        """Return the id of each face."""
        return [face['id'] for face in self]

    def tags(self: Iterable[FaceRecord]) -> list[tuple[str, ...]]:
        """Return the tags of each face."""
        return [face['tags'] for face in self]


class FaceColumns(Sequence[FaceRecord]):
    """Faces as arrays, read like a list of dicts; each dict is made anew, so a change of it changes no row.

    `texts` holds the path (without `prefix`) and the id of each face; a record has an index into `tag_sets`.
    """

    def __init__(
        self, records: NDArray, texts: Texts, fields: Sequence[Field], prefix: str, tag_sets: Sequence[tuple[str, ...]]
    ) -> None:
        self.records, self.texts, self.fields = records, texts, tuple(fields)
        self.prefix, self.tag_sets = prefix, tuple(tag_sets)
        places: Mapping[str, Any] = records.dtype.fields or {}
        self._readers = [(field, np.dtype(field.dtype), *_place(field, places[field.name][1])) for field in self.fields]

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, index: int) -> FaceRecord: ...
    @overload
    def __getitem__(self, index: slice) -> 'FaceColumns': ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        return self._face(range(len(self))[index])

    def __iter__(self) -> Iterator[FaceRecord]:
        return map(self._face, range(len(self)))

    def __add__(self, others: Iterable[FaceRecord]) -> list[FaceRecord]:
        return [*self, *others]

    def take(self, rows: NDArray | Sequence[int]) -> 'FaceColumns':
        """Return the faces of these rows."""
        records = self.records[np.asarray(rows, np.int64)]
        return FaceColumns(records, self.texts, self.fields, self.prefix, self.tag_sets)

    def paths(self) -> list[str]:
        """Return the path of each face."""
        return [self.prefix + text for text in self._texts('_path')]

    def ids(self) -> list[str]:
        """Return the id of each face."""
        return self._texts('_id')

    def tags(self) -> list[tuple[str, ...]]:
        """Return the tags of each face."""
        return [self.tag_sets[i] for i in self.records['_tags'].tolist()]

    def valid(self) -> Mask:
        """Return which faces are free of defects: the landmarks of a defective one are NaN."""
        step = 4096  # rows at once, for memory
        parts = [self.records['landmarks'][i : i + step] for i in range(0, len(self.records), step)]
        return np.concatenate([np.zeros(0, bool), *(np.isfinite(part).all((1, 2)) for part in parts)])

    def with_tags(self, tags: Sequence[tuple[str, ...]]) -> 'FaceColumns':
        """Write other tags into the records, and return the faces; this object is not valid afterwards."""
        sets, self.records['_tags'] = _index(tags)
        return FaceColumns(self.records, self.texts, self.fields, self.prefix, sets)

    def with_ids(self, ids: Sequence[str]) -> 'FaceColumns':
        """Replace the ids of these faces, and return them."""
        paths = self._texts('_path')
        self.texts = _store_texts(self.records, paths, ids)
        return self

    def with_array(self, name: str, values: NDArray) -> 'FaceColumns':
        """Return the faces with one more array each: `values` has a row for each face."""
        fields = (*self.fields, Field(name, 'array', values.dtype.str, values.dtype.str, values.shape[1:]))
        records = np.empty(len(self), record_dtype(fields))
        for key in self.records.dtype.names or ():
            records[key] = self.records[key]
        records[name] = values
        return FaceColumns(records, self.texts, fields, self.prefix, self.tag_sets)

    def _face(self, row: int) -> FaceRecord:
        record = self.records[row].tobytes()
        start, path, name, _ = PLACES.unpack_from(record)
        return self._make_face(record, bytes(self.texts[start : start + path + name]))

    def _make_face(self, record: bytes, text: bytes) -> FaceRecord:
        """Return the dict of one record and its texts."""
        _, path, _, tags = PLACES.unpack_from(record)
        face: FaceRecord = {'id': text[path:].decode(*ENCODING)}
        face['path'] = self.prefix + text[:path].decode(*ENCODING)
        for field, dtype, stored, count, offset in self._readers:
            values = np.frombuffer(record, stored, count, offset)
            if field.kind == 'array':
                face[field.name] = values.astype(dtype).reshape(field.shape)  # a copy
            elif field.kind == 'norm':
                norm = values.item()
                face |= {'norm': None if math.isnan(norm) else norm, 'tags': self.tag_sets[tags]}
            else:
                face[field.name] = SCALARS[field.kind](values.item())
        return face

    def _texts(self, key: str) -> list[str]:
        starts = self.records['_start'] + (self.records['_path'] if key == '_id' else 0)
        ends = starts + self.records[key]
        texts = bytes(self.texts) if len(self) else b''
        return [texts[a:b].decode(*ENCODING) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def _place(field: Field, offset: int) -> tuple[np.dtype, int, int]:
    """Return the dtype of a field in a record, how many values it has, and where they begin."""
    return np.dtype(field.stored), math.prod(field.shape), offset


def make_columns(
    ids: Sequence[str],
    paths: Sequence[str],
    tags: Sequence[tuple[str, ...]],
    arrays: Mapping[str, tuple[str, NDArray]],
    prefix: str = '',
) -> FaceColumns:
    """Return faces from one array for each entry of a face, with its kind; `prefix` is how most paths begin."""
    fields = [_field_of(name, kind, values) for name, (kind, values) in arrays.items()]
    records = np.zeros(len(ids), record_dtype(fields))
    for name, (_, values) in arrays.items():
        records[name] = values
    if not all(path.startswith(prefix) for path in paths):
        prefix = ''
    sets, records['_tags'] = _index(tags)
    texts = _store_texts(records, [path[len(prefix) :] for path in paths], ids)
    return FaceColumns(records, texts, fields, prefix, sets)


def _field_of(name: str, kind: str, values: NDArray) -> Field:
    """Return the field of an array; flags of 0 and 1 take one byte each."""
    dtype = values.dtype.str
    flags = name == 'visible' and bool(((values == 0) | (values == 1)).all())
    return Field(name, kind, dtype, '|u1' if flags else dtype, values.shape[1:])


def _index(tags: Sequence[tuple[str, ...]]) -> tuple[list[tuple[str, ...]], NDArray[np.uint32]]:
    """Return the different tuples of tags, and the index of each face's."""
    numbers = {one: i for i, one in enumerate(dict.fromkeys(tags))}
    return list(numbers), np.array([numbers[one] for one in tags], np.uint32)


def _store_texts(records: NDArray, paths: Sequence[str], ids: Sequence[str]) -> bytes:
    """Return the texts one after the other; write their places into the records."""
    encoded = [text.encode(*ENCODING) for pair in zip(paths, ids, strict=True) for text in pair]
    lengths = np.array([len(text) for text in encoded], np.uint64).reshape(-1, 2)
    records['_path'], records['_id'] = lengths[:, 0], lengths[:, 1]
    records['_start'] = np.cumsum(lengths.sum(1)) - lengths.sum(1)
    return b''.join(encoded)


def join(parts: Sequence[FaceColumns]) -> FaceColumns:
    """Return the faces of several parts, one after the other; the parts have the same entries."""
    if len(parts) == 1:
        return parts[0]
    if len({part.fields for part in parts}) > 1 or len({part.prefix for part in parts}) > 1:
        return _join_different(parts)
    sets = list(dict.fromkeys(one for part in parts for one in part.tag_sets))
    records = np.concatenate([part.records for part in parts])
    first = start = 0
    for part in parts:
        rows = records[first : first + len(part)]
        rows['_start'] += np.uint64(start)
        rows['_tags'] = np.array([sets.index(one) for one in part.tag_sets], np.uint32)[rows['_tags']]
        first, start = first + len(part), start + len(part.texts)
    return FaceColumns(records, b''.join(part.texts for part in parts), parts[0].fields, parts[0].prefix, sets)


def _join_different(parts: Sequence[FaceColumns]) -> FaceColumns:
    """Return the faces of parts that store flags or paths differently."""
    arrays = {
        field.name: (field.kind, np.concatenate([part.records[field.name] for part in parts]).astype(field.dtype))
        for field in parts[0].fields
    }
    ids = [text for part in parts for text in part.ids()]
    paths = [text for part in parts for text in part.paths()]
    tags = [names for part in parts for names in part.tags()]
    return make_columns(ids, paths, tags, arrays, parts[0].prefix)
