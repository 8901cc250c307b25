"""Read pickled data without running what it names: tensors, arrays and containers come out, all else is a Stub."""
import collections
import pickle
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

RUNS = {'os', 'posix', 'nt', 'subprocess', 'sys', 'runpy', 'importlib', 'shutil', 'socket', 'pty', 'ctypes', 'code',
        'codeop', 'commands', 'webbrowser', 'pip', 'pdb', 'timeit', 'cProfile', 'bdb', 'asyncio'}
CALLS = {'eval', 'exec', 'execfile', 'compile', '__import__', 'open', 'input', 'breakpoint'}


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


def data_only() -> SimpleNamespace:
    """A stand-in for the pickle module, to be given to `torch.load`.

    Whatever a pickle may touch is made anew for each file, or cannot be changed.
    """
    known = _builders()

    class Unpickler(pickle.Unpickler):
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
        return np.empty(0)

    def parameter(data: Tensor, requires_grad: bool = True, *rest: Any) -> torch.nn.Parameter:
        return torch.nn.Parameter(data, requires_grad)

    def tensor(storage: Any, offset: int, size: tuple, stride: tuple, *rest: Any) -> Tensor:
        return torch._utils._rebuild_tensor(storage, offset, size, stride)

    arrays: dict[str, Any] = {'_reconstruct': array, 'scalar': np.float64().__reduce__()[0]}
    table: dict[str, dict[str, Any]] = {
        'torch._utils': {'_rebuild_tensor': tensor, '_rebuild_tensor_v2': tensor, '_rebuild_parameter': parameter,
                         '_rebuild_parameter_with_state': parameter},
        'torch._tensor': {'_rebuild_from_type_v2': lambda build, kind, args, state: build(*args)},
        'torch': {'Size': torch.Size, 'device': torch.device} | _dtypes(),
        'collections': {'OrderedDict': collections.OrderedDict, 'defaultdict': collections.defaultdict,
                        'Counter': lambda *args: collections.Counter(*args)},
        'numpy': {'ndarray': np.ndarray, 'dtype': np.dtype},
        'numpy.core.multiarray': arrays, 'numpy._core.multiarray': arrays,
        '_codecs': {'encode': lambda text, *rest: text.encode('latin1')},
        'mmengine.logging.history_buffer': {'HistoryBuffer': History},
    }
    kinds = (list, dict, set, frozenset, tuple, int, float, complex)
    plain: dict[str, Callable] = {kind.__name__: kind for kind in kinds}
    table |= {'builtins': plain, '__builtin__': plain}
    return {(module, name): build for module, names in table.items() for name, build in names.items()}


def _dtypes() -> dict[str, Any]:
    return {name: value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
