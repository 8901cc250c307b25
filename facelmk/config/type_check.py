"""Whether a value of a config fits the annotation of an argument."""

import functools
import inspect
import types
import typing
from collections import abc
from pathlib import Path
from typing import Any

SIMPLE = (str, int, float, bool, type(None))
NUMBERS = (int, float)
WORDS = {
    int: 'a whole number',
    float: 'a number',
    str: 'text',
    bool: 'True or False',
    type(None): 'None',
    dict: 'a dict',
    list: 'a list',
    tuple: 'a list',
    Path: 'a path',
}


@functools.cache
def hints(function: Any) -> dict[str, Any]:
    """The annotations of a function, without those that cannot be resolved."""
    resolved: dict[str, Any] = {}
    for name, annotation in getattr(function, '__annotations__', {}).items():
        holder = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            resolved |= typing.get_type_hints(holder, getattr(function, '__globals__', {}))
        except Exception:  # an annotation of another package may name what is not importable here
            continue
    return resolved


def expected(value: Any, parameter: inspect.Parameter, hint: Any) -> str | None:
    """What an argument takes, in words, where a value does not fit; None where it fits or nothing is known."""
    if hint is None or (value is None and parameter.default is None):
        return None
    return misfit(value, hint)


def misfit(value: Any, hint: Any) -> str | None:
    """What an annotation asks for, in words, where a value is surely of another kind or out of range."""
    if typing.get_origin(hint) is typing.Annotated:
        hint, allowed = typing.get_args(hint)
        return misfit(value, hint) or allowed.expected(value)
    return None if _fits(value, hint) else _words(hint)


def _fits(value: Any, hint: Any) -> bool:
    """False only where the value is surely of another kind; a config, a dict, may stand for any class."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, choice) for choice in inner)
    if origin is typing.Literal:
        return value in inner
    if origin is not None:
        return _fits_container(value, origin, inner)
    if hint is bool:
        return isinstance(value, bool)
    if hint is int and isinstance(value, float):
        return value % 1 == 0  # False of NaN, too
    if hint in NUMBERS:
        return isinstance(value, NUMBERS) and not isinstance(value, bool)
    if hint in (str, Path):
        return isinstance(value, (str, Path))
    if hint is type(None):
        return value is None
    if hint in (list, tuple, abc.Sequence):
        return isinstance(value, (list, tuple))
    if hint in (dict, abc.Mapping):
        return isinstance(value, abc.Mapping)
    return not inspect.isclass(hint) or not isinstance(value, SIMPLE) or isinstance(value, hint)


def _fits_container(value: Any, origin: Any, inner: tuple[Any, ...]) -> bool:
    if not inspect.isclass(origin) or origin is type:
        return True
    if origin is abc.Callable:
        return not isinstance(value, SIMPLE)
    if issubclass(origin, abc.Mapping):
        return isinstance(value, abc.Mapping)
    if issubclass(origin, (abc.Sequence, tuple)):
        items = inner[:1] if origin is not tuple or inner[1:] == (...,) else ()
        return isinstance(value, (list, tuple)) and all(_fits(item, hint) for item in value for hint in items)
    return not isinstance(value, SIMPLE)


def _words(hint: Any) -> str:
    """An annotation in ordinary words."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return ' or '.join(dict.fromkeys(map(_words, inner)))
    if origin is typing.Literal:
        return ' or '.join(map(repr, inner))
    if origin is abc.Callable:
        return 'a function'
    if inspect.isclass(origin) and issubclass(origin, abc.Mapping):
        return 'a dict'
    if origin is not None:
        several = ' or '.join(_words(kind) for kind in inner if kind is not ...)
        return f'several ({several})' if several else 'a list'
    return WORDS.get(hint, getattr(hint, '__name__', str(hint)))
