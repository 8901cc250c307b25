"""Follow the tensors of a network as if they lay on a GPU, and list what would wait for it or copy constants to it."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

READS = {  # they return numbers, or a tensor whose size depends on numbers
    *('item', 'tolist', 'cpu', 'numpy', '__array__', '__bool__', '__int__', '__float__', '__index__'),
    *('nonzero', 'argwhere', 'masked_select', 'unique', 'equal', 'allclose', 'is_nonzero'),
}
MAKERS = {'tensor', 'as_tensor', 'from_numpy', 'new_tensor', 'asarray'}  # of tensors on the CPU, from numbers


class FakeDevice(TorchFunctionMode):
    """Within it, `reads` are what waits for the device, `constants` what is copied to it.

    What is computed from the given tensors lies on the device, whatever torch says. `from_host` is not there: the batch
    before it is moved.
    """

    def __init__(self, *tensors: Tensor) -> None:
        super().__init__()
        self.on_device: dict[int, Tensor] = {}  # by the address of the memory; the tensors keep it in use
        self.made: dict[int, Tensor] = {}
        self.reads: list[str] = []
        self.constants: list[str] = []
        self._remember(self.on_device, tensors)

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(function, '__name__', str(function))
        tensors = list(_tensors((args, kwargs)))
        from_device = any(_address(value) in self.on_device for value in tensors)
        if from_device:
            self._note(name, args, tensors)
        result = function(*args, **kwargs)
        if name in MAKERS:
            self._remember(self.made, _tensors(result))
        elif name == 'cpu':
            return result.clone()
        elif (from_device and name not in READS) or 'device' in kwargs:
            self._remember(self.on_device, _tensors(result))
        return result

    def _note(self, name: str, args: Any, tensors: list[Tensor]) -> None:
        if name in READS:
            self.reads.append(name)
        if name == 'new_tensor' or any(value.ndim and _address(value) in self.made for value in tensors):
            self.constants.append(name)
        if name in ('__getitem__', '__setitem__') and any(isinstance(part, list) for part in _parts(args[1])):
            self.constants.append(f'{name} by a list')

    @staticmethod
    def _remember(where: dict[int, Tensor], tensors: Any) -> None:
        where.update({_address(value): value for value in tensors})


def _address(value: Tensor) -> int:
    return value.untyped_storage()._cdata


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from (inner for child in value.values() for inner in _tensors(child))
    elif isinstance(value, (list, tuple)):
        yield from (inner for child in value for inner in _tensors(child))


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)
