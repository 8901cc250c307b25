"""Read the pickles that torch's own `weights_only` reader refuses: every class that is not listed becomes a Stub.

It takes the place of `pickle` in `torch.load(pickle_module=...)`, for files that passed `limits.check_file`.
"""

import collections
import itertools
import math
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any, ClassVar

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from numpy.typing import NDArray
from torch import Tensor

from .opcodes import MAX_KEY_ITEMS, SMALL_INT

MAX_COPIED_BYTES, ITEM_BYTES = 1 << 27, 100  # an item of a dict takes about that much

# fmt: off
HARMFUL_MODULES = {'os', 'posix', 'nt', 'subprocess', 'sys', 'runpy', 'importlib', 'shutil', 'socket', 'pty', 'ctypes',
                   'code', 'codeop', 'commands', 'webbrowser', 'pip', 'pdb', 'timeit', 'cProfile', 'bdb', 'asyncio'}
HARMFUL_BUILTINS = {'eval', 'exec', 'execfile', 'compile', '__import__', 'open', 'input', 'breakpoint'}
# fmt: on


def is_harmful(name: str) -> bool:
    """Whether 'module name' in a pickle is something that no weights need and that can run code."""
    module, _, function = name.partition(' ')
    return module.partition('.')[0] in HARMFUL_MODULES or (
        module in ('builtins', '__builtin__') and function in HARMFUL_BUILTINS
    )


class Stub:
    """An object of a class that is not loaded: it accepts whatever a pickle does to it and calls nothing."""

    qualified_name = ''
    state: Any = None
    dump_patches = False  # torch reads this of classes in files of before 1.6

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> 'Stub':
        return Stub()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Drop the value."""

    extend = add = append

    def part(self, name: str) -> dict[str, Any]:
        """A dict in the state of a network that was pickled whole, such as '_modules'; empty if it has none."""
        part = self.state.get(name) if isinstance(self.state, dict) else None
        return part if isinstance(part, dict) else {}


def module_tensors(module: Stub, prefix: str = '') -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers, by name, of a network that was pickled whole."""
    for name, value in (module.part('_parameters') | module.part('_buffers')).items():
        if isinstance(value, Tensor) and name not in module.state.get('_non_persistent_buffers_set', ()):
            yield prefix + name, value.detach()
    for name, child in module.part('_modules').items():
        if isinstance(child, Stub):
            yield from module_tensors(child, f'{prefix}{name}.')


_DISPATCH: dict[int, Callable[[Any], None]] = pickle._Unpickler.dispatch  # what Python does for each opcode


class Unpickler(pickle._Unpickler):
    """Python's unpickler with names from a fixed list; it fills arrays from their bytes alone."""

    stack: list[Any]
    copied = 0  # bytes

    def find_class(self, module: str, name: str) -> Any:
        """What the name stands for: a listed function or type, else a new class of Stubs."""
        return KNOWN.get(f'{module} {name}') or type(name, (Stub,), {'qualified_name': f'{module}.{name}'})

    def reduce(self) -> None:
        """Call a listed function, unless the file makes it copy the same items again and again."""
        self._count_copies(self.stack[-1])
        _DISPATCH[pickle.REDUCE[0]](self)

    def build(self) -> None:
        """Set the state of an object; NumPy's own way to set an array's state trusts the file."""
        if isinstance(self.stack[-2], np.ndarray):
            self._count_copies(self.stack[-1])
            _, *state = self.stack.pop()
            _fill(self.stack[-1], *state)
        else:
            _DISPATCH[pickle.BUILD[0]](self)

    def _count_copies(self, args: tuple) -> None:
        for arg in args:
            if isinstance(arg, (bytes, str)):
                self.copied += len(arg)
            elif isinstance(arg, (list, dict, tuple)):
                self.copied += len(arg) * ITEM_BYTES
        if self.copied > MAX_COPIED_BYTES:
            raise ValueError(f'it copies more than {MAX_COPIED_BYTES} bytes of its own data')

    dispatch: ClassVar[Any] = _DISPATCH | {pickle.REDUCE[0]: reduce, pickle.BUILD[0]: build}


def load(file: IO[bytes], **options: Any) -> Any:
    """Read one pickle, as `pickle.load` does."""
    return Unpickler(file, **options).load()


INERT_PICKLE = sys.modules[__name__]


class DtypeRecord:
    """The name and byte order of a NumPy dtype; NumPy would believe flags that crash the process later."""

    def __init__(self, name: str, *rest: Any) -> None:
        self.dtype = np.dtype(str(name))

    def __setstate__(self, state: tuple) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])

    def read(self, shape: tuple, fortran: bool, raw: bytes) -> NDArray | None:
        """An array of exactly the bytes in the file; None if its items are Python objects."""
        if self.dtype.kind not in 'biufcSU':
            return None
        if type(raw) is not bytes or not raw or math.prod(shape) * self.dtype.itemsize != len(raw):
            raise ValueError(f'an array in it claims to be {shape} of {self.dtype} and its bytes do not fit')
        if self.dtype.kind == 'U':
            raw.decode('utf-32-be' if self.dtype.byteorder == '>' else 'utf-32-le')  # NumPy does not check it
        return np.ndarray(shape, self.dtype, raw, order='F' if fortran else 'C')


def _fill(array: NDArray, shape: tuple, record: DtypeRecord, *rest: Any) -> None:
    """Fill the empty array that a pickle makes first; an array of Python objects stays empty."""
    if array.size:
        raise ValueError('an array in it is filled twice')
    content = record.read(shape, *rest) if math.prod(shape) else None
    if content is not None:
        array.dtype = content.dtype  # type: ignore[misc, unused-ignore]
        array.resize(shape, refcheck=False)
        array[...] = content


def _scalar(record: DtypeRecord, raw: bytes) -> Any:
    content = record.read((), False, raw)
    return Stub() if content is None else content[()]


def _tensor(storage: Any, offset: int, size: tuple, stride: tuple, *rest: Any) -> Tensor:
    """A tensor without gradient and hooks; the third of `rest`, if any, is its dtype (torch's _rebuild_tensor_v3)."""
    dtype = rest[2] if len(rest) > 2 else storage.dtype
    return torch.empty(0, dtype=dtype).set_(storage._untyped_storage, offset, size, stride)


def _ordered_dict(pairs: Any = ()) -> Any:
    """An OrderedDict, empty or of the (text, value) pairs that Python 2 wrote."""
    if not all(type(key) is str for key, _ in pairs):
        raise ValueError('an OrderedDict in it has a key that is no text')
    return collections.OrderedDict(pairs)


def _of_simple_items(kind: Callable) -> Callable:
    """Call a built-in type with numbers, or with one list of texts, small numbers and a few flat tuples of these."""

    def call(*args: Any) -> Any:
        items = args[0] if len(args) == 1 and type(args[0]) is list else args
        tuples = [item for item in items if type(item) is tuple]
        flat = itertools.chain((item for item in items if type(item) is not tuple), *tuples)
        if sum(map(len, tuples)) > MAX_KEY_ITEMS or not all(map(_is_simple, flat)):
            raise ValueError(f'it makes a {kind.__name__} of more than texts, numbers and a few tuples')
        return kind(*args)

    return call


def _is_simple(item: Any) -> bool:
    return type(item) in (str, bytes, bool, float) or (type(item) is int and abs(item) < SMALL_INT)


class _History(HistoryBuffer):
    """mmengine's log of one number, without its pickled table of methods."""

    def __setstate__(self, state: dict) -> None:
        self.__class__ = HistoryBuffer
        HistoryBuffer.__init__(self, state['_log_history'], state['_count_history'], state['max_length'])


KNOWN: dict[str, Any] = {
    **dict.fromkeys([f'torch._utils _rebuild_tensor{version}' for version in ('', '_v2', '_v3')], _tensor),
    'torch._utils _rebuild_parameter': lambda data, *rest: data,
    'torch._utils _rebuild_parameter_with_state': lambda data, *rest: data,
    'torch._tensor _rebuild_from_type_v2': lambda build, kind, args, state: build(*args),
    'torch.storage UntypedStorage': torch.UntypedStorage,
    'torch Size': torch.Size,
    'torch device': torch.device,
    'collections OrderedDict': _ordered_dict,
    'collections defaultdict': collections.defaultdict,
    'collections Counter': lambda counts=None: collections.Counter(counts) if type(counts) is dict else Stub(),
    'numpy dtype': DtypeRecord,
    '_codecs encode': lambda text, *encoding: text.encode('latin1'),
    'mmengine.logging.history_buffer HistoryBuffer': _History,
    **{f'torch {name}': value for name, value in vars(torch).items() if isinstance(value, torch.dtype)},
    **{
        f'{module} {kind.__name__}': _of_simple_items(kind)
        for module in ('builtins', '__builtin__')
        for kind in (list, dict, set, frozenset, int, float, complex)
    },
}
for _module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
    KNOWN[f'{_module} _reconstruct'] = lambda *args: np.empty(0, np.uint8)  # an array that is filled later
    KNOWN[f'{_module} scalar'] = _scalar
