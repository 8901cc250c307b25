"""SIGTERM and Ctrl-C: training stops where its state can be saved, not where it happens to be."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import FacelmkError

SIGNALS = (signal.SIGTERM, signal.SIGINT)
ONE = 1.0  # seconds: `timeout` and torchrun send a process the same signal twice
_asked: list[int] = []


class Stopped(FacelmkError):
    """Training that was asked to stop, and has saved its state; the exit code is the shell's for that signal."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


def asked() -> int:
    """The signal that asked this run to stop, or 0."""
    return _asked[0] if _asked else 0


@contextmanager
def graceful_shutdown() -> Iterator[None]:
    """Take note of the first SIGTERM or Ctrl-C; a second one, at least a second later, acts as it always did."""
    if threading.current_thread() is not threading.main_thread():  # Python gives signals to the main thread alone
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    since: dict[int, float] = {}

    def note(number: int, frame: Any) -> None:
        _asked.append(number)
        if time.monotonic() - since.setdefault(number, time.monotonic()) > ONE:
            signal.signal(number, before[signal.Signals(number)])
            signal.raise_signal(number)

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield
    finally:
        _asked.clear()
        for number, handler in before.items():
            signal.signal(number, handler)
