"""The landmark schemes that a config describes in `markups`: plain data, so the config needs nothing else."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..errors import FacelmkError
from ..markups import MARKUPS, Markup
from .source import Source

ENTRIES = tuple(one.name for one in fields(Markup))
MAX_POINTS = 10_000


def plain_markup(markup: Markup) -> dict[str, Any]:
    """Return a landmark scheme as the plain data that a config holds; empty values are left out."""
    values = {name: getattr(markup, name) for name in ENTRIES}
    values['parts'] = {name: tuple(part) for name, part in markup.parts.items()}
    return {name: value for name, value in values.items() if value or name in ('name', 'size', 'pairs')}


def markup_of(values: Mapping[str, Any]) -> Markup:
    """Return the landmark scheme that plain data describe."""
    if unknown := sorted(set(values) - set(ENTRIES)):
        raise FacelmkError(f'{unknown[0]!r} is no entry of a landmark scheme. Known: {", ".join(ENTRIES)}')
    name, size = values.get('name'), values.get('size')
    if not isinstance(name, str) or not name or not isinstance(size, int) or not 0 < size <= MAX_POINTS:
        raise FacelmkError(
            f'name={name!r}, size={size!r}. Expected a name, and a number of points from 1 to {MAX_POINTS}'
        )
    parts = {key: _tuples(part) for key, part in dict(values.get('parts') or {}).items()}
    others: dict[str, Any] = {'pairs': ()}
    others |= {key: _tuples(value) for key, value in values.items() if key != 'parts'}
    return Markup(**others, parts=parts)


def add_markups(rows: Any, source: Source) -> None:
    """Register the landmark schemes in the entry `markups` of a config."""
    if rows is not None and not isinstance(rows, (list, tuple)):
        raise FacelmkError(f'{source}: markups={rows!r}. Expected a list of dict(name=..., size=..., pairs=[...])')
    for i, row in enumerate(rows or ()):
        try:
            MARKUPS.add_own(markup_of(row))
        except (FacelmkError, TypeError, ValueError, AttributeError) as error:
            raise FacelmkError(f'{source}: markups[{i}] is no landmark scheme: {error}') from error


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value
