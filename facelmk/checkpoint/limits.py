"""Limits of what a checkpoint may hold, checked once it is loaded and before anything walks through it."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor

from .file_headers import MAX_RATIO
from .unpickle import Stub

MAX_DEPTH = 100  # of containers in one another
MAX_ITEMS = 10_000_000  # of all containers; a container that is reached twice counts twice
_CONTAINER_COST = 10  # items
MAX_DIMENSIONS = 64  # torch computes with no more


def check_loaded(value: Any, file_bytes: int) -> None:
    """Raise ValueError for nesting that no walk ends in, and for tensors that the file cannot hold."""
    waiting, items = [(value, 0)], 0
    storages: dict[int, int] = {}
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, Tensor):
            _check_tensor(item)
            storage = item.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
            continue
        children = _children(item)
        items += len(children) + _CONTAINER_COST
        if depth > MAX_DEPTH or items > MAX_ITEMS:
            raise ValueError(
                f'its lists and dicts lie more than {MAX_DEPTH} deep in one another, or hold one another so often '
                f'that they have more than {MAX_ITEMS} items'
            )
        waiting += [(child, depth + 1) for child in children if isinstance(child, (dict, list, tuple, Stub, Tensor))]
    if (claimed := sum(storages.values())) > MAX_RATIO * file_bytes:
        raise ValueError(f'its tensors claim {claimed} bytes and the file has {file_bytes}')


def _check_tensor(tensor: Tensor) -> None:
    if tensor.dim() > MAX_DIMENSIONS or tensor.is_quantized or tensor.layout is not torch.strided:
        raise ValueError(
            f'a tensor in it is {tensor.dtype}, {tensor.layout} and has {tensor.dim()} dimensions; expected a strided '
            f'one of at most {MAX_DIMENSIONS} that is not quantized'
        )


def _children(container: Any) -> Collection[Any]:
    """The items of a container; of a network that was pickled whole, its parts and tensors."""
    if isinstance(container, Stub):
        state = container.state if isinstance(container.state, dict) else {}
        groups = [state.get(name) for name in ('_modules', '_parameters', '_buffers')]
        return [value for group in groups if isinstance(group, dict) for value in group.values()]
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, (list, tuple)) else ()
