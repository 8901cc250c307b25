"""Read safetensors files: 8 bytes of length, a JSON header, the numbers. Every entry of the header is checked.

https://huggingface.co/docs/safetensors/index#format
"""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

import torch

from ..errors import FacelmkError

MAX_HEADER_BYTES = 8 << 20
MAX_TENSORS = 30_000
# fmt: off
_DTYPES = {'F64': torch.float64, 'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16, 'BOOL': torch.bool,
           'I64': torch.int64, 'I32': torch.int32, 'I16': torch.int16, 'I8': torch.int8, 'U8': torch.uint8}
# fmt: on


def is_safetensors(start: bytes) -> bool:
    """Whether a file that begins with these nine bytes is meant to be one."""
    return start[8:9] == b'{' and not start.startswith((b'PK', b'\x80'))


def read_safetensors(file: BinaryIO, path: Path) -> dict[str, Any]:
    """Return the tensors below 'state_dict', and what the file says about itself below 'meta'."""
    size = file.seek(0, 2)
    try:
        header, begin = _read_header(file, size)
        meta = header.pop('__metadata__', {})
        if not isinstance(meta, dict) or not all(isinstance(value, str) for value in meta.values()):
            raise ValueError('its __metadata__ is no dict of texts')
        if len(header) > MAX_TENSORS:
            raise ValueError(f'its header has {len(header)} tensors, at most {MAX_TENSORS} are read')
        for name, entry in header.items():
            _check_entry(name, entry)
        names = sorted(header, key=lambda name: header[name]['data_offsets'])
        _check_order([(name, *header[name]['data_offsets']) for name in names], size - begin)
    except (ValueError, RecursionError) as error:
        raise FacelmkError(
            f'{path} ({size} bytes) cannot be read as safetensors: {error}. If it was copied or downloaded, it may '
            'have been cut off: fetch it again'
        ) from error
    weights = {}
    for name, entry in header.items():
        first, last = entry['data_offsets']
        file.seek(begin + first)
        data, dtype = bytearray(file.read(last - first)), _DTYPES[entry['dtype']]
        flat = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        weights[name] = flat.reshape(entry['shape'])
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


def _check_entry(name: str, entry: Any) -> None:
    """Check that a tensor is as large as its dtype and shape say."""
    if not isinstance(entry, dict) or entry.keys() != {'dtype', 'shape', 'data_offsets'}:
        raise ValueError(f'{name!r} is not described by dtype, shape and data_offsets alone')
    kind, shape, offsets = entry['dtype'], entry['shape'], entry['data_offsets']
    if not isinstance(kind, str) or kind not in _DTYPES:
        raise ValueError(f'{name!r} has dtype {kind!r}; expected one of {", ".join(_DTYPES)}')
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise ValueError(f'{name!r} has shape {shape} and data_offsets {offsets}; both are lists of whole numbers')
    if math.prod(max(n, 1) for n in shape) >= 1 << 48:
        raise ValueError(f'{name!r} has the shape {shape}, which no memory holds')
    present, needed = offsets[1] - offsets[0], math.prod(shape) * _DTYPES[kind].itemsize
    if present != needed:
        raise ValueError(f'{name!r} has {present} bytes, its shape needs {needed}')


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and len(values) < 64 and all(type(v) is int and 0 <= v < 1 << 48 for v in values)


def _check_order(ranges: list[tuple[str, int, int]], available: int) -> None:
    """Check that the tensors, sorted by their first byte, cover the numbers of the file, each byte once."""
    end = 0
    for name, first, last in ranges:
        if first != end:
            fault = 'overlaps what lies' if first < end else 'leaves a gap'
            raise ValueError(f'{name!r} begins at byte {first} and {fault} before it (byte {end})')
        end = last
    if end != available:
        raise ValueError(f'its header claims {end} bytes of numbers, {available} are there')
