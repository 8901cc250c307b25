"""The packed file of a data set: a header, the records of all faces, and their texts. It is mapped into memory.

Every length is checked when the file is opened, and every face has a checksum, so a damaged file raises DataDefect. The
file is data: a header in json and numbers, no pickle.
"""

import json
import mmap
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import DataDefect
from ..files.atomic import commit, translate_output_errors
from ..files.drafts import new_draft
from .columns import PLACES, SCALARS, FaceColumns, Field, NamesOfDicts, record_dtype
from .records import FaceRecord, Mask

MAGIC = b'facelmk faces 1\n'
HEAD_BYTES = len(MAGIC) + 8  # then the length of the header and its checksum, four bytes each
ALIGNMENT = 64
MAX_HEADER_BYTES = 1 << 24
MAX_VALUES = 1 << 20  # of one entry of a face
WRITE_ROWS = 4096  # at once
DTYPES = {f'{order}{kind}' for kind in ('f4', 'f8', 'i2', 'i4', 'i8', 'u2', 'u4', 'u8') for order in '<>'} | {
    '|u1',
    '|i1',
    '|b1',
    '<f2',
}


class PackedFaces(NamesOfDicts, FaceColumns):
    """The faces of an open packed file; `rows` are those of the data set, or None for all, and `header` is the file's.

    `records` and `texts` are mapped into memory. A single face is read with `pread` instead: a fault of the map maps up
    to 2 MB, so after a while each loader seems to have the whole file, and a file that is cut off ends the process. In
    both ways all processes share what the system has read. A fork copies nothing, and spawned workers open the file.
    """

    def __init__(self, path: Path, rows: NDArray[np.int64] | None = None) -> None:
        self.path, self.rows = path, rows
        self._file = path.open('rb', buffering=0)
        self.status = os.fstat(self._file.fileno())
        self.header, self._first = _read_header(self._file, self.status.st_size)
        fields, count = _fields(self.header), self.header['count']
        dtype = record_dtype(fields)
        self._size, self._end = dtype.itemsize, self._first + count * dtype.itemsize
        if self._end + self.header['text_bytes'] != self.status.st_size:
            raise ValueError(f'it has {self.status.st_size} bytes, {self._end + self.header["text_bytes"]} expected')
        self._map = mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        records = np.frombuffer(mapped, dtype, count, self._first) if count else np.zeros(0, dtype)
        tag_sets = [tuple(tags) for tags in self.header['tag_sets']]
        super().__init__(records, memoryview(mapped)[self._end :], fields, self.header['prefix'], tag_sets)

    def __reduce__(self) -> Any:
        return open_pack, (self.path, self.rows)

    def __len__(self) -> int:
        return len(self.records) if self.rows is None else len(self.rows)

    def remove(self) -> None:
        """Delete the file, unless another process has replaced it."""
        with suppress(OSError):
            if os.path.samestat(os.stat(self.path), self.status):
                self.path.unlink()

    def take(self, rows: NDArray | Sequence[int]) -> 'PackedFaces':
        """Return the faces of these rows; only their numbers take memory."""
        rows = np.asarray(rows, np.int64)
        return PackedFaces(self.path, rows if self.rows is None else self.rows[rows])

    def valid(self) -> Mask:
        valid = super().valid()
        return valid if self.rows is None else valid[self.rows]

    def _face(self, row: int) -> FaceRecord:
        number = row if self.rows is None else int(self.rows[row])
        record = self._read(self._first + number * self._size, self._size)
        if len(record) == self._size:
            start, path, name, _ = PLACES.unpack_from(record)
            text = self._read(self._end + start, path + name) if start + path + name <= len(self.texts) else b''
            if zlib.crc32(text, zlib.crc32(record[:-4])) == int.from_bytes(record[-4:], 'little'):
                with suppress(ValueError, IndexError, TypeError):  # a file with the right checksums, of another program
                    return self._make_face(record, text)
        raise DataDefect(f'{self.path} is damaged at face {row + 1}. Delete it: the next start makes it anew')

    def _read(self, offset: int, length: int) -> bytes:
        if not hasattr(os, 'pread'):  # Windows
            return self._map[offset : offset + length]
        with suppress(OSError):
            return os.pread(self._file.fileno(), length, offset)
        return b''


def open_pack(path: Path, rows: NDArray[np.int64] | None = None) -> PackedFaces:
    """Return the faces of a packed file; raise DataDefect if it is damaged."""
    try:
        return PackedFaces(path, rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise DataDefect(f'{path} is no packed file of faces, or a damaged one ({reason})') from error


def _read_header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """Return the header of a file, and where its records start."""
    head = file.read(HEAD_BYTES)
    length = int.from_bytes(head[-8:-4], 'little')
    if not head.startswith(MAGIC) or len(head) < HEAD_BYTES or length > min(MAX_HEADER_BYTES, size):
        raise ValueError('its first bytes are wrong')
    text = file.read(length)
    if len(text) < length or zlib.crc32(text) != int.from_bytes(head[-4:], 'little'):
        raise ValueError('its header is damaged')
    header = json.loads(text)
    counts = header['count'], header['text_bytes']
    if not all(type(count) is int and 0 <= count < 1 << 48 for count in counts):
        raise ValueError(f'its header names {counts} faces and bytes')
    if not (isinstance(header['prefix'], str) and all(are_texts(tags) for tags in header['tag_sets'])):
        raise ValueError('its header names no tags')
    return header, _aligned(HEAD_BYTES + length)


def are_texts(values: Any) -> bool:
    """Return whether a value of a header is a list of texts."""
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _fields(header: dict[str, Any]) -> list[Field]:
    """Return the fields that a header describes; raise ValueError for others than `write_pack` writes."""
    fields = [Field(name, kind, dtype, stored, tuple(shape)) for name, kind, dtype, stored, shape in header['fields']]
    for field in fields:
        sizes = all(type(size) is int and 0 < size <= MAX_VALUES for size in field.shape)
        known = field.kind in ('array', 'norm', *SCALARS) and {field.dtype, field.stored} <= DTYPES
        if not sizes or not known or np.prod(field.shape, dtype=float) > MAX_VALUES or field.name.startswith('_'):
            raise ValueError(f'its header describes {field}')
    return fields


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def write_pack(path: Path, faces: FaceColumns, header: dict[str, Any]) -> None:
    """Write faces and what else the header is to hold; the file appears at the end, complete."""
    header = header | {
        'count': len(faces),
        'text_bytes': len(faces.texts),
        'prefix': faces.prefix,
        'tag_sets': faces.tag_sets,
        'fields': faces.fields,
    }
    text = json.dumps(header).encode()
    if len(text) > MAX_HEADER_BYTES:
        raise ValueError(f'its header has {len(text)} bytes, more than {MAX_HEADER_BYTES}')
    head = MAGIC + len(text).to_bytes(4, 'little') + zlib.crc32(text).to_bytes(4, 'little') + text
    with (
        translate_output_errors(path),
        new_draft(path, lambda draft: draft.touch(exist_ok=False)) as draft,
        draft.open('wb') as file,
    ):
        file.write(head.ljust(_aligned(len(head)), b'\0'))
        for block in _blocks(faces):
            file.write(block)
        file.write(faces.texts)
        commit(file, path)


def _blocks(faces: FaceColumns) -> Iterator[bytes]:
    """Yield the records with the checksum of each: of its bytes and its texts."""
    texts = memoryview(faces.texts)
    for first in range(0, len(faces), WRITE_ROWS):
        block = faces.records[first : first + WRITE_ROWS].copy()
        content, size = block.tobytes(), block.dtype.itemsize
        starts = block['_start']
        ends = starts + block['_path'] + block['_id']
        block['_sum'] = [
            zlib.crc32(texts[start:end], zlib.crc32(content[i * size : (i + 1) * size - 4]))
            for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True))
        ]
        yield block.tobytes()
