"""The values of an MMPose config: each one is read or refused."""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from ...config.source import ConfigSource
from ...config.texts import short
from ...errors import FacelmkError, UnknownName, did_you_mean
from .locate import locate

Values = dict[str, Any]
SCOPES = ('mmpose', 'mmdet', 'mmengine')  # of the parts that are translated


class Reading:
    """One config: its values, its files, and the places of the values that have been read."""

    def __init__(self, values: Mapping[str, Any], source: ConfigSource) -> None:
        self.source = source
        self.root = Part(plain(values), '', self)
        self.read: set[str] = set()  # places whose value was read, with everything below
        self.asked: dict[str, set[str]] = {}  # the keys that were looked for, by the place of their part
        self.last = ''

    def refuse(self, place: str, what: str) -> NoReturn:
        end = '' if what.endswith('?') else '.'
        raise UnknownName(
            f'{locate(self.source, place)}: {what}{end} docs/moving.md lists what is translated from MMPose'
        )

    def refuse_unread(self, keys: list[str]) -> None:
        """Refuse the first value below these keys of the config that nothing has read."""
        for key in keys:
            for place, value in self._unread(self.root.values[key], key):
                owner, _, name = place.rpartition('.')
                hint = did_you_mean(name, self.asked[owner]) if self.asked.get(owner) else 'Remove it'
                self.refuse(place, f'{place}={short(value)} has no counterpart in facelmk. {hint.rstrip(".")}')

    def _unread(self, value: Any, place: str) -> Iterator[tuple[str, Any]]:
        if place in self.read:
            return
        if isinstance(value, dict) and value:
            for key, child in value.items():
                yield from self._unread(child, f'{place}.{key}')
        elif isinstance(value, list) and any(isinstance(child, dict) for child in value):
            for i, child in enumerate(value):
                yield from self._unread(child, f'{place}[{i}]')
        else:
            yield place, value


class Part:
    """A dict of the config. Each method marks as read what it returns."""

    def __init__(self, values: Values, place: str, reading: Reading) -> None:
        self.values, self.place, self.reading = values, place, reading

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def where(self, key: str) -> str:
        return f'{self.place}.{key}' if self.place else key

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, with everything below it."""
        self.reading.asked.setdefault(self.place, set()).add(key)
        self.reading.last = self.where(key)
        self.reading.read.add(self.where(key))
        return self.values.get(key, default)

    def only(self, key: str, *accepted: Any) -> Any:
        """The value of a key that must be one of some; the first of them is MMPose's default."""
        value = plain(self.get(key, accepted[0]))
        if not any(value == plain(one) and isinstance(value, bool) == isinstance(one, bool) for one in accepted):
            self.refuse(key, ' or '.join(map(repr, accepted)))
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or False."""
        return bool(self.only(key, default, not default))

    def exactly(self, key: str, value: Any) -> None:
        """Refuse any other value of a key, and a part that leaves the key out."""
        if key not in self:
            self.refuse(key, repr(value))
        self.only(key, value)

    def part(self, key: str) -> 'Part | None':
        """The dict at a key; None where there is none."""
        self.reading.asked.setdefault(self.place, set()).add(key)
        if self.values.get(key) is None:
            return self.get(key)
        if not isinstance(self.values[key], dict):
            self.refuse(key, 'a dict')
        if not self.values[key]:
            self.reading.read.add(self.where(key))
        return Part(self.values[key], self.where(key), self.reading)

    def needed(self, key: str) -> 'Part':
        """The dict at a key that must be there."""
        part = self.part(key)
        if part is None:
            self.reading.refuse(self.place, f'{self.place or "the config"} has no {key!r}. Add it')
        return part

    def parts(self, key: str) -> list['Part']:
        """The dicts of the list at a key; one dict counts as a list of one."""
        value = self.values.get(key)
        if isinstance(value, dict):
            return [self.needed(key)]
        items = [] if value is None else value
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            self.refuse(key, 'a list of dicts')
        self.reading.asked.setdefault(self.place, set()).add(key)
        if not items:
            self.get(key)
        return [Part(item, f'{self.where(key)}[{i}]', self.reading) for i, item in enumerate(items)]

    def kind(self) -> str:
        """The name of the part's class, without its scope."""
        scope, _, name = str(self.get('type', '')).rpartition('.')
        scope = scope or self.get('_scope_', '')
        if not name:
            self.reading.refuse(self.place, f'{self.place} has no type. Add it')
        if scope and scope.split('.')[0] not in SCOPES:
            self.refuse('type', f'a part of {" or ".join(SCOPES)}')
        return name

    def choose(self, table: Mapping[str, Any], hint: str = '') -> tuple[str, Any]:
        """The name of the part's class and the entry of the table for it; other classes are refused."""
        name = self.kind()
        if name not in table:
            self.refuse_kind(f'{did_you_mean(name, table)} {hint}'.strip())
        return name, table[name]

    def renamed(self, **names: str) -> Values:
        """The values that the part has, under our names: {ours: theirs}."""
        return {ours: self.get(theirs) for ours, theirs in names.items() if theirs in self}

    def copy(self, *keys: str) -> Values:
        """The values that the part has of these keys, which have the same names here."""
        return self.renamed(**{key: key for key in keys})

    def skip(self, *keys: str) -> None:
        """Mark keys as read that change nothing here."""
        for key in keys:
            self.get(key)

    def all(self) -> Values:
        """All values."""
        self.skip(*self.values)
        self.reading.read.add(self.place)
        return self.values

    def refuse(self, key: str, expected: str) -> NoReturn:
        given = f'={short(self.values[key])}' if key in self.values else ', which is left out,'
        self.reading.refuse(
            self.where(key), f'{self.where(key)}{given} has no counterpart in facelmk. Expected {expected.rstrip(".")}'
        )

    def refuse_kind(self, hint: str) -> NoReturn:
        place = self.where('type')
        self.reading.refuse(
            place, f'{place}={short(self.values["type"])} has no counterpart in facelmk. {hint.rstrip(".")}'
        )


def plain(value: Any) -> Any:
    """The value with dicts and lists in the place of all their kinds; a class is replaced by its name."""
    if isinstance(value, Mapping):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (str, int, float, type(None))):
        return value
    return getattr(value, 'dump_str', None) or getattr(value, '__name__', None) or value


def unusable(reading: Reading, error: Exception) -> FacelmkError:
    """The error for a value of a kind that cannot be calculated with: the last one that was read."""
    place = reading.last
    return FacelmkError(
        f'{locate(reading.source, place)}: the value of {place} cannot be used: {type(error).__name__}: {error}. '
        'Expected what MMPose takes there'
    )
