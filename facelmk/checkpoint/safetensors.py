"""Read safetensors files: 8 bytes of length, a JSON header, the numbers. Every entry of the header is checked.

https://huggingface.co/docs/safetensors/index#format
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ..errors import FacelmkError

MAX_HEADER_BYTES = 8 << 20
MAX_TENSORS = 30_000
_DTYPES = {
    'F64': torch.float64,
    'F32': torch.float32,
    'F16': torch.float16,
    'BF16': torch.bfloat16,
    'BOOL': torch.bool,
    'I64': torch.int64,
    'I32': torch.int32,
    'I16': torch.int16,
    'I8': torch.int8,
    'U8': torch.uint8,
}


def is_safetensors(start: bytes) -> bool:
    """Whether a file that begins with these nine bytes is meant to be one."""
    return start[8:9] == b'{' and not start.startswith((b'PK', b'\x80'))


def read_safetensors(file: BinaryIO, path: Path) -> dict[str, Any]:
    """Return the tensors below 'state_dict', and what the file says about itself below 'meta'."""
    size = file.seek(0, 2)
    try:
        header, begin = _read_header(file, size)
        meta = _check_meta(header.pop('__metadata__', {}))
        if len(header) > MAX_TENSORS:
            raise ValueError(f'its header has {len(header)} tensors, at most {MAX_TENSORS} are read')
        ranges = _byte_ranges(header, size - begin)
    except (ValueError, RecursionError) as error:
        raise FacelmkError(
            f'{path} ({size} bytes) cannot be read as safetensors: {error}. If it was copied or downloaded, it may '
            'have been cut off: fetch it again'
        ) from error
    weights = {}
    for name, (first, last) in ranges.items():
        file.seek(begin + first)
        weights[name] = _tensor(bytearray(file.read(last - first)), header[name])
    return {'meta': meta, 'state_dict': weights}


def _read_header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """Return the header, and the byte that the numbers begin at."""
    file.seek(0)
    length, available = int.from_bytes(file.read(8), 'little'), size - 8
    if length > min(MAX_HEADER_BYTES, available):
        raise ValueError(
            f'its header claims {length} bytes; at most {MAX_HEADER_BYTES} are read, {available} are there'
        )
    header = json.loads(file.read(length).decode('utf-8'), object_pairs_hook=_unique_keys, parse_constant=_no_number)
    if not isinstance(header, dict):
        raise ValueError(f'its header is a {type(header).__name__}, not a dict')
    return header, 8 + length


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f'its header has {repeated!r} twice')
    return unique


def _no_number(text: str) -> None:
    raise ValueError(f'its header has {text} for a number')


def _check_meta(meta: Any) -> dict[str, str]:
    if not isinstance(meta, dict) or not all(isinstance(value, str) for value in meta.values()):
        raise ValueError('its __metadata__ is no dict of texts')
    return meta


def _byte_ranges(header: Mapping[str, Any], available: int) -> dict[str, tuple[int, int]]:
    """Return first and last byte of each tensor; together they cover the numbers of the file, each byte once."""
    ranges = {name: _byte_range(name, entry) for name, entry in header.items()}
    end, before = 0, ''
    for name, (first, last) in sorted(ranges.items(), key=lambda item: item[1]):
        if first != end:
            fault = f'overlaps {before!r}' if first < end else 'leaves a gap before it'
            raise ValueError(f'{name!r} begins at byte {first} and {fault} (byte {end})')
        end, before = last, name
    if end != available:
        raise ValueError(f'its header claims {end} bytes of numbers, {available} are there')
    return ranges


def _byte_range(name: str, entry: Any) -> tuple[int, int]:
    """Return where a tensor lies, if that is as large as its dtype and shape say."""
    if not isinstance(entry, dict) or entry.keys() != {'dtype', 'shape', 'data_offsets'}:
        raise ValueError(f'{name!r} is not described by dtype, shape and data_offsets alone')
    if not isinstance(entry['dtype'], str) or entry['dtype'] not in _DTYPES:
        raise ValueError(f'{name!r} has dtype {entry["dtype"]!r}; expected one of {", ".join(_DTYPES)}')
    shape, offsets = entry['shape'], entry['data_offsets']
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise ValueError(f'{name!r} has shape {shape} and data_offsets {offsets}; both are lists of whole numbers')
    if math.prod(max(n, 1) for n in shape) >= 1 << 48:
        raise ValueError(f'{name!r} has the shape {shape}, which no memory holds')
    size = math.prod(shape) * _DTYPES[entry['dtype']].itemsize
    if offsets[1] - offsets[0] != size:
        raise ValueError(f'{name!r} has {offsets[1] - offsets[0]} bytes, its shape needs {size}')
    return offsets[0], offsets[1]


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and len(values) < 64 and all(type(v) is int and 0 <= v < 1 << 48 for v in values)


def _tensor(data: bytearray, entry: Mapping[str, Any]) -> Tensor:
    dtype = _DTYPES[entry['dtype']]
    flat = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
    return flat.reshape(entry['shape'])
