"""The ranges that a part states for its arguments, and whether values lie within them.

A class names them in its attribute `ranges`, by argument. Derived classes inherit them. A range is a tuple (low, high),
a `Range`, the set of the only values, or a dict of ranges for an argument that is a dict itself.
"""

import inspect
import math
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from ..errors import FacelmkError


class Range(NamedTuple):
    """Finite numbers from `low` to `high`; without `low` itself if `above`; and the values in `also`.

    With a `step`, only low, low + step, ... In a list, each number must be in the range; `length` is how many the list
    has, and with `rising` none may be below the one before.
    """

    low: float
    high: float = math.inf
    above: bool = False
    also: tuple[Any, ...] = ()
    step: float = 0
    length: int | None = None
    rising: bool = False

    def has(self, value: Any) -> bool:
        """Whether a value is in the range; only numbers and text can be outside."""
        if isinstance(value, bool) or not isinstance(value, SINGLE) or value in self.also:
            return True
        if isinstance(value, str) or not (math.isfinite(value) and self.low <= value <= self.high):
            return False
        return not (self.above and value == self.low) and not (self.step and (value - self.low) % self.step)

    def words(self) -> str:
        """The range in words."""
        text = f'above {self.low}' if self.above else f'from {self.low}'
        text += f' to {self.high}' if self.high < math.inf else ''
        text += f' in steps of {self.step}' if self.step > 1 else ''
        whole = 'whole ' if self.step == 1 else ''
        text = f'a {whole}number {text}' if self.length is None else f'{self.length} {whole}numbers {text}'
        text += ', none below the one before' if self.rising else ''
        return ', or '.join([text, *map(repr, self.also)])


Limits = tuple | set | frozenset | dict  # a Range is a tuple, too
Ranges = Mapping[str, Limits]
SINGLE = (int, float, str)


def expected(limits: Limits, value: Any) -> str | None:
    """The range in words if `value`, or a number in it, is outside."""
    if not isinstance(value, Mapping) and hasattr(value, 'tolist'):  # an array
        value = value.tolist()
    if value is None:
        return None
    if isinstance(limits, dict):
        return _expected_in_dict(limits, value) if isinstance(value, Mapping) else None
    items = list(_flat(value))
    if isinstance(limits, (set, frozenset)):
        wrong = any(isinstance(item, SINGLE) and item not in limits for item in items)
        return f'one of {", ".join(sorted(map(repr, limits)))}' if wrong else None
    limits = Range(*limits)
    numbers = [item for item in items if isinstance(item, (int, float))]
    wrong = limits.rising and any(a > b for a, b in pairwise(numbers))
    wrong |= limits.length is not None and isinstance(value, (list, tuple)) and len(value) != limits.length
    return limits.words() if wrong or not all(map(limits.has, items)) else None


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _expected_in_dict(limits: Mapping[str, Limits], value: Mapping[str, Any]) -> str | None:
    """The first range that a dict's value leaves; the key '*' has the range of all values."""
    for key, item in value.items():
        if (inner := limits.get(key, limits.get('*'))) is not None and (words := expected(inner, item)):
            return f'{key}: {words}'
    return None


def ranges_of(part: Any, others: Mapping[Any, Ranges] | None = None) -> dict[str, Limits]:
    """The ranges of a class and of its bases by argument; `others` has those of classes that state none themselves."""
    ranges: dict[str, Limits] = {}
    for owner in reversed(getattr(part, '__mro__', ())):
        own = vars(owner).get('ranges')
        ranges |= {**(others or {}).get(owner, {}), **(own if isinstance(own, Mapping) else {})}
    return ranges


def check_arguments(part: Any, values: Mapping[str, Any]) -> None:
    """Refuse values outside of a part's ranges, then those that its own `check_arguments` refuses together."""
    for key, limits in ranges_of(part).items():
        if words := expected(limits, values.get(key)):
            raise FacelmkError(f'{part.__name__}: {key}={values[key]!r}. Expected {words}')
    check = getattr(part, 'check_arguments', None)
    if check is not None:
        check(values)


def check_complete(part: Any, names: Collection[str]) -> None:
    """Refuse a config that lacks an argument without a default."""
    if not (inspect.isclass(part) and inspect.isfunction(part.__init__)):  # others have no signature to read
        return
    parameters = list(inspect.signature(part.__init__).parameters.values())[1:]
    needed = [
        one.name
        for one in parameters
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    if missing := [name for name in needed if name not in names]:
        raise FacelmkError(f'{part.__name__} lacks {", ".join(missing)}. Set each of them in the config')
