"""Build what a pickle describes: find names, call listed functions, fill dicts, lists, arrays and Stubs."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .limits import CONTAINER_COST, ITEM_COST, TENSOR_COST, Budget
from .objects import (
    CALLABLE,
    HASHING,
    KNOWN,
    SETS,
    DtypeRecord,
    History,
    Storage,
    Stub,
    fill,
    is_harmful,
    is_simple,
    rebuild_from_type,
)

KEY_COST, CALL_COST, NAME_COST, HISTORY_COST = 130, 300, 500, 6000  # bytes, as in `limits`
MAX_NAME = 500
MAX_ODD_KEYS = 4_000  # items of all keys that are neither texts nor small numbers: they may be made to collide
LoadStorage = Callable[[str, torch.dtype, int], torch.UntypedStorage]  # key, dtype, how many numbers


class HarmfulName(ValueError):
    """A pickle names something that can run code."""


class Builder:
    """What the opcodes of a pickle do to objects."""

    def __init__(self, budget: Budget, load_storage: LoadStorage) -> None:
        self.budget, self.load_storage, self.odd_keys = budget, load_storage, 0

    def find(self, module: Any, name: Any) -> Any:
        """Return the object that a name in the pickle means."""
        self.budget.spend(NAME_COST)
        if not isinstance(module, str) or not isinstance(name, str) or len(module) + len(name) > MAX_NAME:
            raise ValueError(f'a name in it has more than {MAX_NAME} letters')
        qualified = f'{module} {name}'
        if is_harmful(qualified):
            raise HarmfulName(qualified)
        return KNOWN[qualified] if qualified in KNOWN else Stub(f'{module}.{name}')

    def call(self, function: Any, args: Any) -> Any:
        """Call a listed function; its arguments are paid for again, because it may copy them."""
        self.budget.spend(CALL_COST)
        if isinstance(function, Stub):
            return function()
        if id(function) not in CALLABLE or type(args) is not tuple:
            raise ValueError(f'it calls a {type(function).__name__}')
        self.budget.spend(sum(map(_copy_cost, args)))
        if function is rebuild_from_type:
            return self.call(*rebuild_from_type(*args))
        if args and function in HASHING:
            self.check_keys(args[0] if function in SETS or isinstance(args[0], dict) else [pair[0] for pair in args[0]])
        result = function(*args)
        if isinstance(result, Tensor):
            self.budget.spend(TENSOR_COST)
        return result

    def check_keys(self, keys: Iterable[Any]) -> None:
        """Pay for keys before they are hashed and compared; refuse many that may have been made to collide."""
        for key in keys:
            items = key if isinstance(key, (tuple, frozenset)) else ()
            self.budget.spend(KEY_COST + sum(len(text) for text in (key, *items) if isinstance(text, (str, bytes))))
            if not (is_simple(key) or isinstance(key, (Stub, Tensor, torch.dtype))):  # these are hashed by identity
                self.odd_keys += 1 + len(items)
                if self.odd_keys > MAX_ODD_KEYS or not all(map(is_simple, items)):
                    raise ValueError(
                        'it has many keys that are neither texts nor small numbers, or tuples in them: they may have '
                        'been made to collide'
                    )

    def set_items(self, items: list[Any], target: Any) -> None:
        """Fill a dict with keys and values."""
        if isinstance(target, Stub):
            return
        if not isinstance(target, dict) or len(items) % 2:
            raise ValueError(f'it sets items of a {type(target).__name__}')
        self.check_keys(items[::2])
        if not target:
            self.budget.spend(CONTAINER_COST)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[key] = value

    def extend(self, items: list[Any], target: Any) -> None:
        """Put items at the end of a list."""
        self.budget.spend(ITEM_COST * len(items))
        if type(target) is list:
            target.extend(items)
        elif not isinstance(target, Stub):
            raise ValueError(f'it appends to a {type(target).__name__}')

    def add(self, items: list[Any], target: Any) -> None:
        """Put items into a set."""
        self.check_keys(items)
        if type(target) is set:
            target.update(items)
        elif not isinstance(target, Stub):
            raise ValueError(f'it adds to a {type(target).__name__}')

    def build(self, state: Any, target: Any) -> None:
        """Set the state of an object; NumPy's own way to set an array's state trusts the file."""
        if isinstance(target, Stub):
            target.state = state
        elif isinstance(target, np.ndarray):
            _, shape, record, *rest = state
            self.budget.spend(sum(map(_copy_cost, rest)))
            fill(target, shape, record, *rest)
        elif isinstance(target, DtypeRecord):
            target.set_state(state)
        elif isinstance(target, History):
            self.budget.spend(HISTORY_COST + sum(map(_copy_cost, state.values())))
            target.set_state(state)
        elif not isinstance(target, OrderedDict):  # whose state is torch's table of versions, which is never read
            raise ValueError(f'it changes a {type(target).__name__}, which no weights need')

    def persistent(self, described: Any) -> Any:
        """The storage, or in old files the class of a network, that torch describes by a tuple."""
        kind, value, *rest = described
        if kind == 'module':
            return value
        key, _, count, *view = rest
        types = type(key) is str and isinstance(value, torch.dtype) and type(count) is int
        if kind != 'storage' or not types or any(view):
            raise ValueError('it describes a storage otherwise than torch does')
        return Storage(self.load_storage(key, value, count), value)


def _copy_cost(value: Any) -> int:
    """The bytes that a copy of an argument takes."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, (str, bytes)):
        return len(value)
    return KEY_COST * len(value) if isinstance(value, (list, dict, tuple)) else 0
