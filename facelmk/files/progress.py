"""Progress of long work: a counter on a terminal, a line every few seconds without one."""

import os
import sys
import time

TERMINAL_S = 0.2
LINES_S = 10.0


class Progress:
    """Prints how many of `total` things are done, how many a second, and the remaining time; `done` are done before."""

    def __init__(self, what: str, total: int, done: int = 0) -> None:
        self.what, self.total, self.before = what, total, done
        self.start = self.printed = time.monotonic()
        already = f', {done} of them are there already' if done else ''
        self.write(f'{what}: {total}{already}\n')

    def show(self, done: int) -> None:
        """Print a line if enough time has passed since the last one, or if all is done."""
        now = time.monotonic()
        terminal = sys.stdout.isatty()
        if done < self.total and now - self.printed < (TERMINAL_S if terminal else LINES_S):
            return
        self.printed = now
        line = f'{self.what}: {done}/{self.total}, {self._rate(done, now)}'
        self.write(f'\r{line}\033[K' if terminal else f'{line}\n')
        if terminal and done >= self.total:
            self.write('\n')

    def _rate(self, done: int, now: float) -> str:
        seconds = max(now - self.start, 1e-9)
        rate = max(done - self.before, 1e-9) / seconds
        time_text = f'in {duration(seconds)}' if done >= self.total else f'{duration((self.total - done) / rate)} left'
        return f'{rate:.{0 if rate >= 10 else 1}f} a second, {time_text}'

    @staticmethod
    def write(text: str) -> None:
        """Print without delay; of several ranks on a machine, only the first prints."""
        if os.environ.get('LOCAL_RANK', '0') == '0':
            sys.stdout.write(text)
            sys.stdout.flush()


def duration(seconds: float) -> str:
    """Return a time such as 8 s, 4 min 10 s or 2 h 5 min."""
    if seconds < 60:
        return f'{seconds:.0f} s'
    minutes, rest = divmod(round(seconds), 60)
    return f'{minutes} min {rest} s' if minutes < 60 else f'{minutes // 60} h {minutes % 60} min'
