"""Read pickled data without running what it names: tensors, arrays and containers come out, all else is a Stub."""

import collections
import math
import pickle
from collections.abc import Callable, Collection, Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from numpy.typing import NDArray
from torch import Tensor

# fmt: off
RUNS = {'os', 'posix', 'nt', 'subprocess', 'sys', 'runpy', 'importlib', 'shutil', 'socket', 'pty', 'ctypes', 'code',
        'codeop', 'commands', 'webbrowser', 'pip', 'pdb', 'timeit', 'cProfile', 'bdb', 'asyncio'}
# fmt: on
CALLS = {'eval', 'exec', 'execfile', 'compile', '__import__', 'open', 'input', 'breakpoint'}

LARGEST_TUPLE = 10_000  # items, those of the tuples in it counted; ImageNet's class names are 1,000
DEEPEST, UNFOLDED = 100, 10_000_000  # how deep containers may lie in one another, and how many items they may be


class Suspicious(pickle.UnpicklingError):
    """A pickle that names what no weights need and what runs code."""


class Stub:
    """Stands where a pickle names anything that is not data: it takes everything and does nothing."""

    state: Any = None
    dump_patches = False  # torch asks this of classes in files of before 1.6, to write out how their source changed

    def __new__(cls, *args: Any, **kwargs: Any) -> 'Stub':
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> 'Stub':
        return Stub()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Take and forget, as a pickled list would keep."""

    extend = add = append


def tensors(module: Stub, prefix: str = '') -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers, by name, of a network that was pickled whole."""
    state = module.state if isinstance(module.state, dict) else {}
    for group in ('_parameters', '_buffers'):
        for name, value in state.get(group, {}).items():
            if isinstance(value, Tensor) and name not in state.get('_non_persistent_buffers_set', ()):
                yield prefix + name, value.detach()
    for name, child in state.get('_modules', {}).items():
        if isinstance(child, Stub):
            yield from tensors(child, f'{prefix}{name}.')


def measure(value: Any) -> None:
    """Raise ValueError if containers lie too deep in one another, or hold one another so often that no walk ends."""
    known: dict[int, tuple[int, int]] = {}

    def of(container: Any, depth: int) -> tuple[int, int]:
        if depth < DEEPEST and id(container) not in known:
            items = _items(container)
            inner = [of(item, depth + 1) for item in items if isinstance(item, (dict, list, tuple, Stub))]
            known[id(container)] = (
                len(items) + sum(size for size, _ in inner),
                1 + max((height for _, height in inner), default=0),
            )
        size, height = known.get(id(container), (0, DEEPEST))
        if depth + height > DEEPEST or size > UNFOLDED:
            raise ValueError(
                f'its lists and dicts lie more than {DEEPEST} deep in one another, or hold one another so '
                f'often that they are more than {UNFOLDED} items'
            )
        return size, height

    of(value, 0)


def _items(container: Any) -> Collection[Any]:
    """What lies in a container; of a network that was pickled whole, its parts."""
    if isinstance(container, Stub):
        container = container.state.get('_modules') if isinstance(container.state, dict) else None
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, (list, tuple)) else ()


class Kind:
    """A kind of number as pickles make it: its name and the order of its bytes; NumPy believes what else they say."""

    def __init__(self, name: str, *rest: Any) -> None:
        self.dtype = np.dtype(str(name))

    def __setstate__(self, state: tuple) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


def _numbers(shape: tuple, kind: Kind, fortran: bool, raw: bytes) -> NDArray:
    """An array of bytes that are as many as it needs."""
    if type(raw) is not bytes or not raw or math.prod(shape) * kind.dtype.itemsize != len(raw):
        raise ValueError(f'an array in it claims to be {shape} of {kind.dtype}, which its bytes are not')
    if kind.dtype.kind == 'U':
        raw.decode('utf-32-be' if kind.dtype.byteorder == '>' else 'utf-32-le')  # NumPy makes texts of anything
    return np.ndarray(shape, kind.dtype, raw, order='F' if fortran else 'C')


def _fill(array: NDArray, shape: tuple, kind: Kind, *rest: Any) -> None:
    """Put the numbers into the empty array that a pickle makes first; what are no numbers or texts stays away."""
    if array.size:
        raise ValueError('an array in it is filled twice')
    if kind.dtype.kind in 'biufcSU' and math.prod(shape):
        array.dtype = kind.dtype  # type: ignore[misc, unused-ignore]
        array.resize(shape, refcheck=False)
        array[...] = _numbers(shape, kind, *rest)


_BUILD: Callable[[Any], None] = pickle._Unpickler.dispatch[pickle.BUILD[0]]


class _Reader(pickle._Unpickler):
    """Python's unpickler in Python: the memory that it takes grows with the file, not with what the file claims."""

    stack: list[Any]
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)
    for _code in (pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER):  # torch writes none
        del dispatch[_code[0]]

    def load(self) -> Any:
        """What the file holds."""
        self.tuples: dict[int, tuple[tuple, int]] = {}
        try:
            return super().load()
        except (LookupError, AssertionError) as error:
            raise pickle.UnpicklingError('it is damaged, or holds what no weights need') from error

    def keep(self) -> None:
        """Refuse a tuple that unfolds without end: to look it up in a dict takes for ever."""
        made = self.stack[-1]
        size = sum(self.tuples.get(id(item), ((), 1))[1] for item in made)
        if size > LARGEST_TUPLE:
            raise pickle.UnpicklingError(f'a tuple in it unfolds to more than {LARGEST_TUPLE} items')
        self.tuples[id(made)] = made, size

    def build(self) -> None:
        """Set the state of an object, never of a class, which others use too."""
        if isinstance(self.stack[-2], type):
            raise pickle.UnpicklingError('it changes a class, which no weights need')
        if isinstance(self.stack[-2], np.ndarray):
            _, *state = self.stack.pop()
            _fill(self.stack[-1], *state)
        else:
            _BUILD(self)


def _kept(make: Callable[[Any], None]) -> Callable[[_Reader], None]:
    def act(reader: _Reader) -> None:
        make(reader)
        reader.keep()

    return act


_Reader.dispatch[pickle.BUILD[0]] = _Reader.build
_Reader.dispatch |= {
    code[0]: _kept(_Reader.dispatch[code[0]]) for code in (pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3)
}


def data_only() -> SimpleNamespace:
    """A stand-in for the pickle module, to be given to `torch.load`.

    Whatever a pickle may touch is made anew for each file, or cannot be changed.
    """
    known = _builders()

    class Unpickler(_Reader):
        def find_class(self, module: str, name: str) -> Any:
            found = known.get((module, name))
            if module.partition('.')[0] in RUNS or (module in ('builtins', '__builtin__') and name in CALLS):
                raise Suspicious(f'{module}.{name}')
            return type('Stub', (Stub,), {'__doc__': f'{module}.{name}'}) if found is None else found

    def load(file: Any, **options: Any) -> Any:
        return Unpickler(file, **options).load()

    return SimpleNamespace(Unpickler=Unpickler, load=load, __name__='data_only')


def _builders() -> dict[tuple[str, str], Callable]:
    """What the names in a pickle may stand for."""

    class History(HistoryBuffer):
        """mmengine's log of one number; its pickled table of methods is left aside."""

        def __setstate__(self, state: dict) -> None:
            self.__class__ = HistoryBuffer
            HistoryBuffer.__init__(self, state['_log_history'], state['_count_history'], state['max_length'])

    def array(kind: Any, shape: Any, *rest: Any) -> np.ndarray:
        """The empty array that a pickled one is filled into; a size that it claims here is not made."""
        return np.empty(0, np.uint8)

    def parameter(data: Tensor, requires_grad: bool = True, *rest: Any) -> torch.nn.Parameter:
        return torch.nn.Parameter(data, requires_grad)

    def tensor(
        storage: Any,
        offset: int,
        size: tuple,
        stride: tuple,
        grad: Any = None,
        hooks: Any = None,
        kind: torch.dtype | None = None,
        *rest: Any,
    ) -> Tensor:
        made = torch.empty(0, dtype=kind or storage.dtype)
        if len(size) > 64 or made.is_quantized:  # more, and another kind, than torch computes with
            raise ValueError(f'a tensor in it is of {made.dtype} and claims {len(size)} dimensions')
        return made.set_(storage._untyped_storage, offset, size, stride)

    def scalar(kind: Kind, data: Any) -> Any:
        return _numbers((), kind, False, data)[()] if kind.dtype.kind in 'biufcSU' else Stub()

    arrays: dict[str, Any] = {'_reconstruct': array, 'scalar': scalar}
    table: dict[str, dict[str, Any]] = {
        'torch._utils': {
            '_rebuild_tensor': tensor,
            '_rebuild_tensor_v2': tensor,
            '_rebuild_tensor_v3': tensor,
            '_rebuild_parameter': parameter,
            '_rebuild_parameter_with_state': parameter,
        },
        'torch._tensor': {'_rebuild_from_type_v2': lambda build, kind, args, state: build(*args)},
        'torch.storage': {'UntypedStorage': torch.UntypedStorage},
        'torch': {'Size': torch.Size, 'device': torch.device} | _dtypes(),
        'collections': {
            'OrderedDict': collections.OrderedDict,
            'defaultdict': collections.defaultdict,
            'Counter': lambda *args: collections.Counter(*args),
        },
        'numpy': {'dtype': Kind},
        'numpy.core.multiarray': arrays,
        'numpy._core.multiarray': arrays,
        '_codecs': {'encode': lambda text, *rest: text.encode('latin1')},
        'mmengine.logging.history_buffer': {'HistoryBuffer': History},
    }
    kinds = (list, dict, set, frozenset, int, float, complex)
    plain: dict[str, Callable] = {kind.__name__: _called(kind) for kind in kinds}
    table |= {'builtins': plain, '__builtin__': plain}
    return {(module, name): build for module, names in table.items() for name, build in names.items()}


def _called(kind: Callable) -> Callable:
    """A kind as pickles call it: of plain numbers, or of one list; what is iterated over costs what it holds."""

    def make(*args: Any) -> Any:
        if not all(type(arg) in (int, float, list) for arg in args):
            raise ValueError('it makes data of what is no data')
        return kind(*args)

    return make


def _dtypes() -> dict[str, Any]:
    return {name: value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
