"""SIGTERM and SIGHUP end a command as Ctrl-C does: files that are not complete are removed first."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = [getattr(signal, name) for name in ('SIGTERM', 'SIGHUP') if hasattr(signal, name)]
REPEAT_S = 1.0  # `timeout` sends a process the same signal twice within this time


class Interrupted(KeyboardInterrupt):
    """A signal that ends this process; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Raise Interrupted on a signal that would end the process; processes that are forked from it end as usual."""
    if threading.current_thread() is not threading.main_thread():  # Python delivers signals only to the main thread
        yield
        return
    owner, first = os.getpid(), [0.0]

    def interrupt(number: int, frame: Any) -> None:
        if os.getpid() != owner or (first[0] and time.monotonic() - first[0] > REPEAT_S):
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        elif not first[0]:
            first[0] = time.monotonic()
            raise Interrupted(number)

    heard = [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_DFL]  # nohup ignores SIGHUP
    for number in heard:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)
