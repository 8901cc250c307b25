"""Progress of long work: a bar on a terminal, a few plain lines elsewhere, both on stderr.

Work that takes less than half a second shows nothing. Plain lines come after 15, 60 and 240 s, and so on, so their
number is small however long the work takes.
"""

import os
import shutil
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from types import TracebackType
from typing import TYPE_CHECKING, TextIO, TypeVar

if TYPE_CHECKING:
    from .bar import Bar

BAR_AFTER_S = 0.5
BAR_S = 0.1  # between two drawings of the bar
FIRST_LINE_S, LINE_FACTOR, MAX_PAUSE_S = 15.0, 4, 3600.0
MB = 1e6  # bytes
_PROCESS = os.getpid()  # forked workers have another number
Item = TypeVar('Item')


class _Terminal:
    """What this process shows: the bar of one work at a time."""

    plain = False  # --plain, and -v of a run: no bar
    bar: 'Bar | None' = None


def show_plain_lines(plain: bool) -> None:
    """Choose plain lines instead of a bar on a terminal, too (--plain)."""
    _Terminal.plain = plain


def close_bar() -> None:
    """Remove the bar, so that a message follows on a line of its own."""
    if _Terminal.bar is not None:
        _Terminal.bar.close()
        _Terminal.bar = None


def has_bar() -> bool:
    """Whether stderr is a terminal for a bar; not if stdout is a pipe, whose reader may print on the same terminal."""
    known = os.environ.get('TERM', '') not in ('', 'dumb', 'unknown')
    return not _Terminal.plain and known and _is_terminal(sys.stderr) and not _is_pipe(sys.stdout)


def _is_terminal(stream: TextIO) -> bool:
    return bool(getattr(stream, 'isatty', bool)())


def _is_pipe(stream: TextIO) -> bool:
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError, AttributeError):  # a stream in memory, or a closed one
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line on stdout or another stream, above the bar if there is one."""
    stream = sys.stdout if stream is None else stream
    if _Terminal.bar is not None and _is_terminal(stream):
        _Terminal.bar.print(text)
        return
    stream.write(f'{text}\n')
    stream.flush()


def drop_output(stream: TextIO) -> None:
    """Discard what is still to be printed on a stream whose reader has gone: each flush would try once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def terminal_width() -> int | None:
    """Return the number of columns of the terminal that stdout is, or None."""
    return shutil.get_terminal_size().columns if _is_terminal(sys.stdout) else None


class Progress:
    """Shows how many of `total` things are done, how many a second, and the remaining time; `done` are done before.

    `unit` names the rate, such as faces/s, and `per_step` is how many faces a step has. With `lines=False` there is a
    bar on a terminal, and nothing elsewhere. Use it in a `with` block, or call `close` at the end.
    """

    def __init__(
        self, what: str, total: float | None, done: float = 0, unit: str = '', per_step: float = 1, lines: bool = True
    ) -> None:
        self.what, self.total, self.before = what, total, done
        self.unit, self.per_step, self.lines = unit, per_step, lines
        self.done, self.note, self.idle_s = done, '', 0.0
        self.start = self.drawn = time.monotonic()
        self.next_line = self.start + FIRST_LINE_S
        self.is_closed = False

    def __enter__(self) -> 'Progress':
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def show(self, done: float, note: str = '') -> None:
        """Draw the bar or print a line if enough time has passed since the last one."""
        self.done, self.note = done, note
        now = time.monotonic()
        is_complete = self.total is not None and done >= self.total
        if is_complete or now - self.drawn < BAR_S or now - self.start < BAR_AFTER_S or self._is_hidden():
            return
        self.drawn = now
        if has_bar():
            self._draw(now)
        elif self.lines and now >= self.next_line:
            self.next_line = now + min((LINE_FACTOR - 1) * (now - self.start), MAX_PAUSE_S)
            self._print(now)

    def close(self) -> None:
        """Remove the bar; after more than 15 seconds of work, print how long it took."""
        now = time.monotonic()
        if os.getpid() == _PROCESS:
            close_bar()
        is_long = now - self.start > FIRST_LINE_S
        if is_long and self.lines and self.done == self.total and not self.is_closed and not self._is_hidden():
            self._print(now)
        self.is_closed = True

    def _is_hidden(self) -> bool:
        """Of several ranks on a machine, only the first shows its progress; forked workers show none."""
        return os.environ.get('LOCAL_RANK', '0') != '0' or os.getpid() != _PROCESS

    def _draw(self, now: float) -> None:
        if _Terminal.bar is None:
            from .bar import Bar  # rich takes a tenth of a second to import

            _Terminal.bar = Bar()
        _Terminal.bar.draw(self.what, self.done, self.total, self.facts(now))

    def _print(self, now: float) -> None:
        say(f'{self.what}: {", ".join(self.facts(now))}', sys.stderr)

    def facts(self, now: float) -> list[str]:
        """Return count, remaining time, note and rate, the most important first."""
        seconds = max(now - self.start, 1e-9)
        count = _count(self.done) + ('' if self.total is None else f'/{_count(self.total)}')
        steps = max(self.done - self.before, 0)
        rate = steps * self.per_step / max(seconds - self.idle_s, 1e-9)
        facts = [count, self._time(steps, seconds), self.note, f'{short_number(rate)} {self.unit or "a second"}']
        return [fact for fact in facts if fact]

    def _time(self, steps: float, seconds: float) -> str:
        if self.total is None or not steps:
            return ''
        remaining = self.total - self.done
        return f'{duration(remaining * seconds / steps)} left' if remaining > 0 else f'in {duration(seconds)}'


def _count(value: float) -> str:
    return str(value) if isinstance(value, int) else f'{value:.1f}'


def track_lines(stream: TextIO, what: str) -> Iterator[str]:
    """Yield the lines of a text file, and show how many megabytes of it are read."""
    size, done = os.fstat(stream.fileno()).st_size, 0
    with Progress(what, size / MB, unit='MB/s') as progress:
        for line in stream:
            done += len(line)
            yield line
            progress.show(min(done, size) / MB)


def track(items: Iterable[Item], what: str, total: int | None = None, unit: str = '') -> Iterator[Item]:
    """Yield the items and show the progress of what is done with them."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Progress(what, total, unit=unit) as progress:
        for done, item in enumerate(items, 1):
            yield item
            progress.show(done)


def short_number(value: float) -> str:
    """Return a positive number with two digits or more, such as 0.12, 3.4, 56, 789."""
    return f'{value:.0f}' if value >= 10 else f'{value:.1f}' if value >= 1 else f'{value:.2f}'


def duration(seconds: float) -> str:
    """Return a time such as 8 s, 4 min 10 s or 2 h 5 min."""
    if seconds < 59.5:
        return f'{seconds:.0f} s'
    minutes, rest = divmod(round(seconds), 60)
    return f'{minutes} min {rest} s' if minutes < 60 else f'{minutes // 60} h {minutes % 60} min'
