"""Compare two configs as they act: an argument that is left out has its default."""

from typing import Any

from ...config.arguments import arguments_of
from ...config.schema import DEFAULT_TYPES, INNER_REGISTRIES, TOP_REGISTRIES
from ...registry import Registry
from .reading import Values

MISSING = type('Missing', (), {'__repr__': lambda self: 'missing'})()


def differences(ours: Values, theirs: Values) -> dict[str, tuple[Any, Any]]:
    """The values in which two configs differ, by dotted key."""
    found: dict[str, tuple[Any, Any]] = {}
    for key in (*ours, *(key for key in theirs if key not in ours)):
        _compare(ours.get(key, MISSING), theirs.get(key, MISSING), key, TOP_REGISTRIES.get(key), found)
    return found


def _compare(a: Any, b: Any, place: str, registry: Registry | None, found: dict[str, tuple[Any, Any]]) -> None:
    if isinstance(a, dict) and isinstance(b, dict) and kind(a) == kind(b):
        for key in (*a, *(key for key in b if key not in a)):
            inner = INNER_REGISTRIES.get(key, registry)
            _compare(
                value_of(a, key, place, registry), value_of(b, key, place, registry), f'{place}.{key}', inner, found
            )
    elif dicts(a) and dicts(b) and len(a) == len(b):
        for i, (one, other) in enumerate(zip(a, b, strict=True)):
            _compare(one, other, f'{place}[{i}]', registry, found)
    elif not same(a, b):
        found[place] = a, b


def kind(part: Values) -> str:
    """The type of a part without its package."""
    return str(part.get('type', '')).rpartition('.')[2]


def dicts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, dict) for item in value)


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal; lists and tuples are."""
    return a == b or (isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and list(a) == list(b))


def value_of(part: Values, key: str, place: str, registry: Registry | None) -> Any:
    """The value of a key, or the default of the argument."""
    if key == 'type':
        return kind(part)
    if key in part or registry is None:
        return part.get(key, MISSING)
    known = arguments_of({'type': part.get('type', DEFAULT_TYPES.get(place))}, registry)
    default = known[key].default if key in known else MISSING
    return MISSING if default is not MISSING and repr(default).startswith('<class') else default
