"""The values of a search: KEY=LOW:HIGH, KEY=LOW:HIGH:log and KEY=A,B,C, and values drawn from them."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import FacelmkError

RANGE = re.compile(r'([^:,]+):([^:,]+)(?::(\w+))?')
DIGITS = 4  # of a drawn number, so that a person can copy it
NOTATION = 'Write KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C, such as optim_wrapper.optimizer.lr=1e-4:1e-2:log'

Values = dict[str, Any]


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, integers if both are; with `log`, each factor of ten is as likely as the next."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether the values are integers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, random: np.random.Generator) -> float:
        """Return a random value."""
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        if self.whole and not self.log:
            return int(random.integers(int(low), int(high), endpoint=True))
        value = random.uniform(low, high)
        return self.rounded(math.exp(value) if self.log else value)

    def ends(self) -> tuple[float, float]:
        """Return the values that a config must take."""
        return self.low, self.high

    def rounded(self, value: float) -> float:
        """Return an integer, or a number of few digits, within the range."""
        value = round(value) if self.whole else float(f'{value:.{DIGITS}g}')
        return min(max(value, self.low), self.high)


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[Any, ...]

    def draw(self, random: np.random.Generator) -> Any:
        """Return a random value."""
        return self.values[int(random.integers(len(self.values)))]

    def ends(self) -> tuple[Any, ...]:
        """Return the values that a config must take: all of them."""
        return self.values


Space = Mapping[str, Range | Choice]


def read_space(words: Iterable[str], read_list: Callable[[str], Sequence[Any]]) -> dict[str, Range | Choice]:
    """Return the ranges of the command line by their key; `read_list` reads the text of a list, as [64,128]."""
    space: dict[str, Range | Choice] = {}
    for word in words:
        key, equals, text = word.partition('=')
        if not (key and equals and text):
            raise FacelmkError(f'{word!r} is no range. {NOTATION}')
        if key in space:
            raise FacelmkError(f'{key} has two ranges. Give one')
        found = RANGE.fullmatch(text)
        is_range = found is not None and _number(found[1]) is not None
        space[key] = _range(word, *found.groups()) if found and is_range else _choice(word, read_list(f'[{text}]'))
    return space


def _number(text: str) -> float | None:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if math.isfinite(value) else None
    return None


def _range(word: str, first: str, last: str, scale: str | None) -> Range:
    low, high = _number(first), _number(last)
    if low is None or high is None or low >= high:
        raise FacelmkError(f'{word}: expected two numbers, the lower one first. {NOTATION}')
    if scale not in (None, 'log'):
        raise FacelmkError(f'{word}: {scale!r} is no scale. Write :log, or nothing')
    if scale and low <= 0:
        raise FacelmkError(f'{word}: a range of :log starts above 0')
    return Range(low, high, scale == 'log')


def _choice(word: str, options: Sequence[Any]) -> Choice:
    options = json.loads(json.dumps(list(options)))  # as search.json has them: tuples become lists
    unlike = [value for i, value in enumerate(options) if value not in options[:i]]
    if len(unlike) < 2:
        raise FacelmkError(f'{word}: one value. Set it with --cfg-options, or give several. {NOTATION}')
    return Choice(tuple(unlike))
