"""SIGTERM and Ctrl-C: training stops at the next point where it can save its state."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import FacelmkError

SIGNALS = (signal.SIGTERM, signal.SIGINT)
REPEAT_S = 1.0  # `timeout` and torchrun send a process the same signal twice within this time
_received: list[int] = []


class Stopped(FacelmkError):
    """A signal stopped the training, which has saved its state; the exit code is the shell's for that signal."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


def stop_signal() -> int:
    """Return the signal that asked this run to stop, or 0."""
    return _received[0] if _received else 0


@contextmanager
def graceful_shutdown() -> Iterator[None]:
    """Record the first SIGTERM or Ctrl-C; a second one, at least a second later, calls the handler from before."""
    if threading.current_thread() is not threading.main_thread():  # Python delivers signals only to the main thread
        yield
        return
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    first_time: dict[int, float] = {}

    def note(number: int, frame: Any) -> None:
        _received.append(number)
        if time.monotonic() - first_time.setdefault(number, time.monotonic()) > REPEAT_S:
            signal.signal(number, handlers[signal.Signals(number)])
            signal.raise_signal(number)

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield
    finally:
        _received.clear()
        for number, handler in handlers.items():
            signal.signal(number, handler)
