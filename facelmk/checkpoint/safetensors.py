"""The tensor-only file format: 8 bytes of length, a JSON header, the numbers; nothing is believed unchecked.

https://huggingface.co/docs/safetensors/index#format
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import FacelmkError

HEADER_LIMIT = 16 << 20  # bytes; 100,000 tensors take 10 MB
_KINDS = {
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
    """Whether a file that begins so (nine bytes are enough) is meant to be one."""
    return start[8:9] == b'{' and not start.startswith((b'PK', b'\x80'))


def read_safetensors(path: Path) -> dict[str, Any]:
    """The tensors below 'state_dict', what the file says about itself below 'meta'."""
    try:
        header, begin = _header(path)
        meta = _meta(header.pop('__metadata__', {}))
        spans = _spans(header, path.stat().st_size - begin)
    except (ValueError, RecursionError) as error:
        raise FacelmkError(
            f'{path} ({path.stat().st_size} bytes) cannot be read as safetensors: {error}. If it was '
            'copied or downloaded, it may have been cut off: fetch it again'
        ) from error
    with path.open('rb') as file:
        weights = {}
        for name, (first, last) in spans.items():
            file.seek(begin + first)
            weights[name] = _tensor(bytearray(file.read(last - first)), header[name])
    return {'meta': meta, 'state_dict': weights}


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The header, and where the numbers begin."""
    with path.open('rb') as file:
        length, room = int.from_bytes(file.read(8), 'little'), path.stat().st_size - 8
        if length > min(HEADER_LIMIT, room):
            raise ValueError(f'its header claims {length} bytes; at most {HEADER_LIMIT} are read, {room} are there')
        header = json.loads(file.read(length).decode('utf-8'), object_pairs_hook=_once, parse_constant=_no_number)
    if not isinstance(header, dict):
        raise ValueError(f'its header is a {type(header).__name__}, not a dict')
    return header, 8 + length


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f'its header has {twice!r} twice')
    return found


def _no_number(text: str) -> None:
    raise ValueError(f'its header has {text} for a number')


def _meta(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ValueError('its __metadata__ is no dict of texts')
    return given


def _spans(header: Mapping[str, Any], room: int) -> dict[str, tuple[int, int]]:
    """First and last byte of each tensor; together they are the rest of the file, each byte once."""
    spans = {name: _span(name, entry) for name, entry in header.items()}
    end, before = 0, ''
    for name, (first, last) in sorted(spans.items(), key=lambda item: item[1]):
        if first != end:
            what = f'overlaps {before!r}' if first < end else 'leaves a gap before it'
            raise ValueError(f'{name!r} begins at byte {first} and {what} (byte {end})')
        end, before = last, name
    if end != room:
        raise ValueError(f'its header claims {end} bytes of numbers, {room} are there')
    return spans


def _span(name: str, entry: Any) -> tuple[int, int]:
    """Where a tensor lies, as large as its kind and shape say."""
    if not isinstance(entry, dict) or entry.keys() != {'dtype', 'shape', 'data_offsets'}:
        raise ValueError(f'{name!r} is not described by dtype, shape and data_offsets alone')
    if not isinstance(entry['dtype'], str) or entry['dtype'] not in _KINDS:
        raise ValueError(f'{name!r} is of dtype {entry["dtype"]!r}; read are {", ".join(_KINDS)}')
    shape, offsets = entry['shape'], entry['data_offsets']
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        raise ValueError(f'{name!r} has shape {shape} and data_offsets {offsets}; both are lists of whole numbers')
    if math.prod(max(n, 1) for n in shape) >= 1 << 48:
        raise ValueError(f'{name!r} has the shape {shape}, which no memory holds')
    size = math.prod(shape) * _KINDS[entry['dtype']].itemsize
    if offsets[1] - offsets[0] != size:
        raise ValueError(f'{name!r} has {offsets[1] - offsets[0]} bytes, its shape needs {size}')
    return offsets[0], offsets[1]


def _counts(values: Any) -> bool:
    return isinstance(values, list) and len(values) < 64 and all(type(v) is int and 0 <= v < 1 << 48 for v in values)


def _tensor(data: bytearray, entry: Mapping[str, Any]) -> Tensor:
    kind = _KINDS[entry['dtype']]
    flat = torch.frombuffer(data, dtype=kind) if data else torch.empty(0, dtype=kind)
    return flat.reshape(entry['shape'])
