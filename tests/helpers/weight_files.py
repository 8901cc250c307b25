"""Weight files that torch did not write: containers of any pickle, and the opcodes to write one by hand."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

SYSTEM = dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4))
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


def pickled(body: bytes) -> bytes:
    """A pickle of these opcodes."""
    return b'\x80\x02' + body + b'.'


def text(value: str) -> bytes:
    """The opcode of a text."""
    raw = value.encode('utf-8', 'surrogatepass')
    return b'X' + struct.pack('<I', len(raw)) + raw


def number(value: int) -> bytes:
    """The opcode of an integer of 32 bits."""
    return b'J' + struct.pack('<i', value)


def name(module: str, function: str) -> bytes:
    """The opcode of a function or class."""
    return f'c{module}\n{function}\n'.encode()


def storage(key: str = '0', count: int = 1, kind: str = 'FloatStorage', old: bool = False) -> bytes:
    """The opcodes of a storage."""
    return b'(' + text('storage') + name('torch', kind) + text(key) + text('cpu') + number(count) + b'N' * old + b'tQ'


def tensor(size: bytes = b')', stride: bytes = b')', offset: int = 0, of: bytes | None = None) -> bytes:
    """The opcodes of a tensor; `size` and `stride` are those of two tuples."""
    arguments = (storage() if of is None else of) + number(offset) + size + stride + b'\x89' + b'N'
    return name('torch._utils', '_rebuild_tensor_v2') + b'(' + arguments + b'tR'


def zipped(pickled: bytes, storages: dict[str, bytes] | None = None, **options: Any) -> bytes:
    """A zip as torch writes it, around a pickle and storages (one of four bytes, if not given)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', **options) as archive:
        archive.writestr('x/data.pkl', pickled)
        for key, content in ({'0': bytes(4)} if storages is None else storages).items():
            archive.writestr(f'x/data/{key}', content)
        archive.writestr('x/version', b'3\n')
    return file.getvalue()


def old(pickled: bytes, storages: dict[str, bytes] | None = None, keys: Any = None) -> bytes:
    """A file as torch wrote it before 1.6; all numbers have four bytes."""
    given = {} if storages is None else storages
    head = b''.join(pickle.dumps(value, 2) for value in (MAGIC_NUMBER, 1001, SYSTEM))
    tail = b''.join(struct.pack('<q', len(content) // 4) + content for content in given.values())
    return head + pickled + pickle.dumps(list(given) if keys is None else keys, 2) + tail


def safetensors(header: dict[str, Any] | str, data: bytes = b'', length: int | None = None) -> bytes:
    """A file with this header, right or wrong."""
    raw = (header if isinstance(header, str) else json.dumps(header)).encode()
    return (len(raw) if length is None else length).to_bytes(8, 'little') + raw + data


def entry(first: int, last: int, *shape: int, dtype: str = 'F32') -> dict[str, Any]:
    """What a header of safetensors says about one tensor."""
    return {'dtype': dtype, 'shape': list(shape), 'data_offsets': [first, last]}


def write(path: Path, content: bytes) -> Path:
    """Write the file and return its path."""
    path.write_bytes(content)
    return path
