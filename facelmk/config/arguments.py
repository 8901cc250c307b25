"""The part that a type names, the arguments that it takes, and whether a value fits one of them.

A part of facelmk, or of a project that builds on it, states the ranges of its arguments in a class attribute, as
`ranges = {'prob': (0, 1)}` (facelmk/registry/ranges.py). runner_ranges.py has those of mmengine's and torch's classes.
"""

import functools
import inspect
import numbers
import types
from collections import abc
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union, get_args, get_origin, get_type_hints

from mmengine.hooks import CheckpointHook, EMAHook
from torch import Tensor
from torch.utils.data import DataLoader

from ..registry import Registry
from ..registry.ranges import expected, ranges_of
from .runner_ranges import COUNT, RANGES

CLOSED = (CheckpointHook.__init__, EMAHook.__init__)  # their **kwargs take a few names alone, which others declare
LOOPS = 'mmengine.runner.loops'  # takes 1e5 for a whole number
SIMPLE = (str, int, float, bool, type(None))
WORDS: dict[Any, str] = {
    int: 'a whole number',
    float: 'a number',
    str: 'text',
    bool: 'True or False',
    type(None): 'None',
    Path: 'a path',
    abc.Callable: 'a function',
    **dict.fromkeys((dict, abc.Mapping), 'a dict'),
    **dict.fromkeys((list, tuple, abc.Sequence), 'a list'),
}


class Argument(NamedTuple):
    """The annotation of an argument, with its range where it has one, and its default."""

    hint: Any
    default: Any


def find(registry: Registry, kind: Any) -> Any:
    """The part of that type, in a registry of facelmk or in mmengine's above it; None if there is none."""
    try:
        return registry.get(kind)
    except (RuntimeError, TypeError):  # a module that cannot be imported; a name that is no text
        return None


def all_names(registry: Registry) -> set[str]:
    return set(registry) | set(registry.parent.module_dict if registry.parent is not None else ())


@functools.cache
def arguments(part: Any) -> dict[str, Argument]:
    """The arguments of a class or function by name, those of its bases included."""
    owners = part.__mro__ if inspect.isclass(part) else (part,)
    ranges = ranges_of(part, RANGES)
    found: dict[str, Argument] = {}
    for function in _functions(part, owners):
        hints, parameters = _hints(function), inspect.signature(function).parameters
        for name, parameter in parameters.items():
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) and name != 'self':
                hint = hints.get(name, bool if isinstance(parameter.default, bool) else object)
                hint = float if hint is int and function.__module__ == LOOPS else hint
                hint = Optional[hint] if parameter.default is None else hint  # noqa: UP045  not all hints know |
                hint = Annotated[hint, ranges[name]] if name in ranges else hint
                found.setdefault(name, Argument(hint, parameter.default))
        if not _takes_more(function):
            break
    return found


@functools.cache
def takes_any_name(part: Any) -> bool:
    """Whether a class or function takes names that no signature has."""
    return all(map(_takes_more, _functions(part, getattr(part, '__mro__', (part,)))))


def _takes_more(function: Any) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return function not in CLOSED and any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def loader_arguments() -> dict[str, Argument]:
    """The arguments of a data loader, 'auto' as its number of workers, and what the Runner takes out of its dict."""
    names = arguments(DataLoader)
    size = Annotated[int, RANGES[DataLoader]['batch_size']]  # torch takes None, too, and then makes no batches
    workers = Annotated[int | Literal['auto'], RANGES[DataLoader]['num_workers']]
    names |= {'num_workers': Argument(workers, 0)}
    return names | {'batch_size': Argument(size, 1), 'num_batch_per_epoch': Argument(Annotated[int, COUNT], None)}


def part_of(values: Any, registry: Registry) -> Any:
    """The class or function that a dict of a config names; None where it is not known."""
    kind = values.get('type') if isinstance(values, dict) else None
    part = find(registry, kind) if isinstance(kind, str) else kind
    return part if callable(part) else None


def arguments_of(values: Any, registry: Registry) -> dict[str, Argument]:
    """The arguments of the part that a dict of a config stands for; none where it is not known."""
    part = part_of(values, registry)
    return {} if part is None else arguments(part)


def takes(name: str, values: Any, registry: Registry) -> bool:
    """Whether the part that a dict names takes an argument; True where the part is not known."""
    part = part_of(values, registry)
    return part is None or name in arguments(part) or takes_any_name(part)


def _functions(part: Any, owners: tuple[Any, ...]) -> list[Any]:
    """The functions that a call of a part reaches: its __init__ and, through **kwargs, those of its bases."""
    if not inspect.isclass(part):
        return [part]
    ours = (owner for owner in owners[:-1] if not owner.__module__.startswith('torch.nn.modules.module'))
    return [vars(owner)['__init__'] for owner in ours if '__init__' in vars(owner)]


def _hints(function: Any) -> dict[str, Any]:
    """The annotations of a function, without those that cannot be resolved."""
    hints: dict[str, Any] = {}
    for name, annotation in getattr(function, '__annotations__', {}).items():
        holder = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            hints |= get_type_hints(holder, getattr(function, '__globals__', {}))
        except Exception:  # an annotation of another package may name what is not importable here
            continue
    return hints


def misfit(value: Any, hint: Any) -> str | None:
    """What an annotation asks for, in words, where a value is surely of another kind or out of range."""
    hint, *limits = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if not _fits(value, hint):
        return _words(hint)
    return next((words for limit in limits if (words := expected(limit, value))), None)


def _fits(value: Any, hint: Any) -> bool:
    """False only where the value is surely of another kind; a config, a dict, may stand for any class."""
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, types.UnionType):
        return any(_fits(value, choice) for choice in inner)
    if kind is Literal:
        return value in inner
    if kind is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, numbers.Real) and not isinstance(value, bool)
    if kind in (str, Path):
        return isinstance(value, (str, Path))
    if kind is bool:
        return isinstance(value, bool)
    if kind in (dict, abc.Mapping):
        items = value.values() if inner and isinstance(value, abc.Mapping) else ()
        return isinstance(value, abc.Mapping) and all(_fits(item, inner[1]) for item in items)
    if kind in (list, tuple, abc.Sequence):
        return isinstance(value, (list, tuple)) and _items_fit(value, kind, inner)
    if kind is Any or not inspect.isclass(kind) or (kind is type and inner):
        return True
    if kind is type(None):
        return value is None
    if kind is not hint or (issubclass(kind, abc.Iterable) and kind is not Tensor):
        return not isinstance(value, SIMPLE)
    return not isinstance(value, (*SIMPLE, list, tuple)) or isinstance(value, hint)


def _items_fit(values: abc.Sequence[Any], kind: Any, inner: tuple[Any, ...]) -> bool:
    """Whether the items of a list fit; an annotation such as tuple[float, float] says how many there are, too."""
    if kind is tuple and len(inner) > 1 and inner[1] is not ...:
        return len(values) == len(inner) and all(map(_fits, values, inner))
    return all(_fits(item, each) for item in values for each in inner[:1])


def _words(hint: Any) -> str:
    """An annotation in ordinary words."""
    kind, inner = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, types.UnionType):
        return ' or '.join(dict.fromkeys(map(_words, inner)))
    if kind is Literal:
        return ' or '.join(map(repr, inner))
    if inner and kind in (list, tuple, abc.Sequence):
        count = len(inner) if kind is tuple and len(inner) > 1 and inner[1] is not ... else 'several'
        return f'{count} ({" or ".join(dict.fromkeys(_words(each) for each in inner if each is not ...))})'
    return WORDS.get(kind, getattr(kind, '__name__', str(kind)))
