"""A function that computes once what several metrics ask for one after another."""

from collections.abc import Callable
from functools import wraps
from operator import is_
from typing import Any, TypeVar

Made = TypeVar('Made')


def once(make: Callable[..., Made]) -> Callable[..., Made]:
    """Return the last result again for the same objects: an evaluator gives a batch to one metric after another."""
    latest: tuple[Any, Any] = ((object(),), None)  # equal to no arguments

    @wraps(make)
    def call(*arguments: Any) -> Made:
        nonlocal latest
        known, result = latest
        if len(known) != len(arguments) or not all(map(is_, known, arguments)):
            result = make(*arguments)
            latest = arguments, result
        return result

    return call
