"""What the names in a pickle mean: a list of harmless functions and types; every other name is a Stub."""

import collections
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from numpy.typing import NDArray
from torch import Tensor

MAX_NAME_LETTERS = 500  # of a parameter
MAX_DIMENSIONS, MAX_NUMBERS = 64, 1 << 48  # torch computes with no more dimensions
SMALL_INT = 2**61 - 1  # Python hashes an integer modulo this number: smaller ones do not collide in a dict

# fmt: off
HARMFUL_MODULES = {'os', 'posix', 'nt', 'subprocess', 'sys', 'runpy', 'importlib', 'shutil', 'socket', 'pty', 'ctypes',
                   'code', 'codeop', 'commands', 'webbrowser', 'pip', 'pdb', 'timeit', 'cProfile', 'bdb', 'asyncio'}
HARMFUL_BUILTINS = {'eval', 'exec', 'execfile', 'compile', '__import__', 'open', 'input', 'breakpoint'}
FLOATS_OF_A_BYTE = ('float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz', 'float8_e8m0fnu')
STORAGES = {  # 'torch FloatStorage' and so on; torch writes the other dtypes as UntypedStorage
    'Double': torch.float64, 'Float': torch.float32, 'Half': torch.float16, 'BFloat16': torch.bfloat16,
    'Long': torch.int64, 'Int': torch.int32, 'Short': torch.int16, 'Char': torch.int8, 'Byte': torch.uint8,
    'Bool': torch.bool, 'ComplexDouble': torch.complex128, 'ComplexFloat': torch.complex64, 'Untyped': torch.uint8}
# fmt: on
DTYPES = {  # which networks can copy
    *STORAGES.values(),
    *(getattr(torch, name) for name in (*FLOATS_OF_A_BYTE, 'uint16', 'uint32', 'uint64') if hasattr(torch, name)),
}


def is_harmful(name: str) -> bool:
    """Whether 'module name' in a pickle is something that no weights need and that can run code."""
    module, _, function = name.partition(' ')
    return module.partition('.')[0] in HARMFUL_MODULES or (
        module in ('builtins', '__builtin__') and function in HARMFUL_BUILTINS
    )


class Stub:
    """A class that is not loaded, or an object of one: it accepts whatever a pickle does to it and calls nothing."""

    __slots__ = ('qualified_name', 'state')

    def __init__(self, qualified_name: str = '') -> None:
        self.qualified_name, self.state = qualified_name, None

    def __call__(self, *args: Any) -> 'Stub':
        return Stub(self.qualified_name)

    def part(self, name: str) -> dict[str, Any]:
        """A dict in the state of a network that was pickled whole, such as '_modules'; empty if it has none."""
        part = self.state.get(name) if isinstance(self.state, dict) else None
        return part if isinstance(part, dict) else {}


def module_tensors(module: Stub, prefix: str = '') -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers, by name, of a network that was pickled whole; without names that are too long."""
    passing = module.state.get('_non_persistent_buffers_set', ()) if isinstance(module.state, dict) else ()
    for name, value in (module.part('_parameters') | module.part('_buffers')).items():
        if isinstance(value, Tensor) and not (isinstance(passing, set) and name in passing) and is_name(name, prefix):
            yield prefix + name, value
    for name, child in module.part('_modules').items():
        if isinstance(child, Stub) and is_name(name, prefix):
            yield from module_tensors(child, f'{prefix}{name}.')


def is_name(name: Any, prefix: str = '') -> bool:
    """Whether a parameter or module may be called so."""
    return isinstance(name, str) and len(prefix) + len(name) <= MAX_NAME_LETTERS and name.isprintable()


class Storage:
    """Numbers of the file, and the dtype that the pickle gives them."""

    __slots__ = ('content', 'dtype')

    def __init__(self, content: torch.UntypedStorage, dtype: torch.dtype) -> None:
        self.content, self.dtype = content, dtype


def count(shape: Any) -> int:
    """How many numbers an array or tensor of this shape has."""
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError('a shape in it is no tuple of whole numbers')
    if len(shape) > MAX_DIMENSIONS or math.prod(max(n, 1) for n in shape) > MAX_NUMBERS:
        raise ValueError(f'a tensor in it has {len(shape)} dimensions, or more numbers than any memory holds')
    return math.prod(shape)


class DtypeRecord:
    """The name and byte order of a NumPy dtype; NumPy would believe flags that crash the process later."""

    def __init__(self, name: str, *rest: Any) -> None:
        known = re.fullmatch(r'[<>|=]?[biufcSU]\d{1,9}', name) if isinstance(name, str) else None
        self.dtype = np.dtype(known[0] if known else 'O')

    def set_state(self, state: tuple) -> None:
        """Take the byte order from what NumPy writes."""
        self.dtype = self.dtype.newbyteorder(state[1])

    def read(self, shape: tuple, fortran: bool, raw: Any) -> NDArray | None:
        """An array of exactly the bytes in the file; None if its items are Python objects."""
        if self.dtype.kind == 'O':
            return None
        raw = raw.encode('latin1') if type(raw) is str else raw  # as Python 2 wrote bytes
        if type(raw) is not bytes or not raw or count(shape) * self.dtype.itemsize != len(raw):
            raise ValueError(f'an array in it claims to be {shape} of {self.dtype} and its bytes do not fit')
        if self.dtype.kind == 'U':
            raw.decode('utf-32-be' if self.dtype.byteorder == '>' else 'utf-32-le')  # NumPy does not check it
        return np.ndarray(shape, self.dtype, raw, order='F' if fortran else 'C')


def fill(array: NDArray, shape: tuple, record: DtypeRecord, *rest: Any) -> None:
    """Fill the empty array that a pickle makes first; an array of Python objects stays empty."""
    if array.size:
        raise ValueError('an array in it is filled twice')
    content = record.read(shape, *rest) if count(shape) else None
    if content is not None:
        array.dtype = content.dtype  # type: ignore[misc, unused-ignore]
        array.resize(shape, refcheck=False)
        array[...] = content


class History(HistoryBuffer):
    """mmengine's log of one number, without its pickled table of methods."""

    def __init__(self) -> None:
        """Wait for the state."""

    def set_state(self, state: dict) -> None:
        """Become a HistoryBuffer."""
        if not all(isinstance(state[f'_{name}_history'], np.ndarray) for name in ('log', 'count')):
            raise ValueError('a log in it is no array')
        self.__class__ = HistoryBuffer
        HistoryBuffer.__init__(self, state['_log_history'], state['_count_history'], state['max_length'])


def _scalar(record: DtypeRecord, raw: Any) -> Any:
    content = record.read((), False, raw)
    return Stub('numpy.object_') if content is None else content[()]


def _from_buffer(raw: bytes, record: DtypeRecord, shape: tuple, order: str) -> NDArray:
    """An array of protocol 5."""
    array = np.empty(0, np.uint8)
    fill(array, shape, record, order == 'F', raw)
    return array


def _tensor(storage: Storage, offset: int, size: tuple, stride: tuple, *rest: Any) -> Tensor:
    """A tensor without gradient and hooks; the third of `rest`, if any, is its dtype (torch's _rebuild_tensor_v3)."""
    count(size)
    dtype = rest[2] if len(rest) > 2 else storage.dtype
    return torch.empty(0, dtype=dtype, device=storage.content.device).set_(storage.content, offset, size, stride)


def _of_items(kind: Callable) -> Callable:
    """Call a container with the items of one list or tuple; `Builder.call` checks those that are hashed."""

    def call(items: Any = ()) -> Any:
        if type(items) not in ((dict,) if kind is collections.Counter and items else (list, tuple, dict)):
            raise ValueError(f'it makes a {kind.__name__} of a {type(items).__name__}')
        return kind(items)

    return call


def is_simple(key: Any) -> bool:
    """Whether such keys of a dict cannot be made to collide."""
    kind = type(key)
    return kind in (str, float, bytes, bool, type(None)) or (kind is int and -SMALL_INT < key < SMALL_INT)


def rebuild_from_type(build: Any, kind: Any, args: Any, state: Any) -> tuple[Any, Any]:
    """The call that `Builder.call` makes next."""
    return build, args


SETS = SET, FROZENSET = _of_items(set), _of_items(frozenset)
HASHING = DICT, ORDERED_DICT, COUNTER, *_ = *map(_of_items, (dict, collections.OrderedDict, collections.Counter)), *SETS
KNOWN: dict[str, Any] = {
    **dict.fromkeys([f'torch._utils _rebuild_tensor{version}' for version in ('', '_v2', '_v3')], _tensor),
    'torch._utils _rebuild_parameter': lambda data, *rest: data,
    'torch._utils _rebuild_parameter_with_state': lambda data, *rest: data,
    'torch Size': torch.Size,
    'torch device': torch.device,
    'torch._tensor _rebuild_from_type_v2': rebuild_from_type,
    'collections OrderedDict': ORDERED_DICT,
    'collections defaultdict': lambda factory=None: collections.defaultdict(factory),
    'collections Counter': COUNTER,
    'numpy dtype': DtypeRecord,
    '_codecs encode': lambda text, *encoding: text.encode('latin1'),
    'mmengine.logging.history_buffer HistoryBuffer': History,
    **{str(dtype).replace('.', ' '): dtype for dtype in DTYPES},
    **{
        f'{module} {name}Storage': dtype
        for module in ('torch', 'torch.cuda', 'torch.storage')
        for name, dtype in STORAGES.items()
    },
}
for _module in ('builtins', '__builtin__'):
    KNOWN |= {f'{_module} int': lambda: 0, f'{_module} float': lambda: 0.0}  # for defaultdict
    KNOWN |= {f'{_module} list': _of_items(list), f'{_module} complex': lambda real, imag: complex(real, imag)}
    KNOWN |= {f'{_module} dict': DICT, f'{_module} set': SET, f'{_module} frozenset': FROZENSET}
for _module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
    KNOWN[f'{_module} _reconstruct'] = lambda *args: np.empty(0, np.uint8)  # an array that is filled later
    KNOWN[f'{_module} scalar'] = _scalar
for _module in ('numpy.core.numeric', 'numpy._core.numeric'):
    KNOWN[f'{_module} _frombuffer'] = _from_buffer
CALLABLE = {id(value) for value in KNOWN.values() if callable(value)}
