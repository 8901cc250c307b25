"""Read and write safetensors files: 8 bytes of length, a JSON header, the numbers. Reading checks every entry of it.

https://huggingface.co/docs/safetensors/index#format
"""

import io
import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, BinaryIO

import torch

from ..errors import FacelmkError
from .containers import read_numbers
from .limits import TENSOR_COST, Budget, letter_bytes, shorten

MAX_HEADER_BYTES = 8 << 20
MAX_ITEMS = 200_000  # of its lists and dicts; each tensor has about 9
ENTRY_COST = 1300  # bytes, as in `limits`
_COSTLY = (b'[', b'{', b',')
# fmt: off
_DTYPES = {'F64': torch.float64, 'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16, 'BOOL': torch.bool,
           'I64': torch.int64, 'I32': torch.int32, 'I16': torch.int16, 'I8': torch.int8, 'U8': torch.uint8}
# fmt: on


def to_safetensors(weights: Mapping[str, torch.Tensor], meta: Mapping[str, Any]) -> memoryview:
    """Return the bytes of a file: the tensors, those with the widest numbers first, and the metadata as texts."""
    names = {dtype: name for name, dtype in _DTYPES.items()}
    if wrong := next((key for key, value in weights.items() if value.dtype not in names), None):
        raise FacelmkError(f'{wrong} has dtype {weights[wrong].dtype}, which safetensors does not hold. Write a .pth')
    header: dict[str, Any] = {'__metadata__': {key: str(value) for key, value in meta.items()}}
    end, content = 0, io.BytesIO()
    for key in sorted(weights, key=lambda name: (-weights[name].itemsize, name)):
        tensor = weights[key].detach().cpu().contiguous()
        begin, end = end, end + tensor.nbytes
        header[key] = {'dtype': names[tensor.dtype], 'shape': list(tensor.shape), 'data_offsets': [begin, end]}
        content.write(tensor.reshape(-1).view(torch.uint8).numpy().data)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)  # the numbers begin at a multiple of 8
    return memoryview(len(text).to_bytes(8, 'little') + text + content.getvalue())


def is_safetensors(start: bytes) -> bool:
    """Whether a file that begins with these nine bytes is meant to be one."""
    return start[8:9] == b'{' and not start.startswith((b'PK', b'\x80'))


def read_safetensors(file: BinaryIO, size: int) -> dict[str, Any]:
    """Return the tensors below 'state_dict', and what the file says about itself below 'meta'."""
    header, begin = _read_header(file, size)
    meta = header.pop('__metadata__', {})
    if not isinstance(meta, dict) or not all(isinstance(value, str) for value in meta.values()):
        raise ValueError('its __metadata__ is no dict of texts')
    Budget(size).spend((TENSOR_COST + ENTRY_COST) * len(header))
    for name, entry in header.items():
        _check_entry(shorten(name), entry)
    names = sorted(header, key=lambda name: header[name]['data_offsets'])
    _check_order([(shorten(name), *header[name]['data_offsets']) for name in names], size - begin)
    weights = {}
    for name, entry in header.items():
        first, last = entry['data_offsets']
        numbers = read_numbers(file, begin + first, last - first)
        weights[name] = numbers.view(_DTYPES[entry['dtype']]).reshape(entry['shape'])
    return {'meta': meta, 'state_dict': weights}


def _read_header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """Return the header, and the byte that the numbers begin at."""
    file.seek(0)
    length, available = int.from_bytes(file.read(8), 'little'), size - 8
    if length > min(MAX_HEADER_BYTES, available):
        raise ValueError(
            f'its header claims {length} bytes; at most {MAX_HEADER_BYTES} are read, {available} are there'
        )
    text = file.read(length)
    if letter_bytes(text) * length > MAX_HEADER_BYTES:
        raise ValueError('its header is too long for the letters that it has')
    if sum(map(text.count, _COSTLY)) > MAX_ITEMS:
        raise ValueError(f'its header has more than {MAX_ITEMS} items, which no set of weights needs')
    header = json.loads(text.decode('utf-8'), object_pairs_hook=_unique_keys, parse_constant=_no_number)
    if not isinstance(header, dict):
        raise ValueError(f'its header is a {type(header).__name__}, not a dict')
    return header, 8 + length


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f'its header has {shorten(repeated)!r} twice')
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
