"""SIGTERM, Ctrl-C and SIGHUP end a command: at once, or at the end of a step that must not be cut in two."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ..errors import FacelmkError

SIGNALS = tuple(getattr(signal, name) for name in ('SIGTERM', 'SIGINT', 'SIGHUP') if hasattr(signal, name))
REPEAT_S = 1.0  # `timeout` and torchrun send a process the same signal twice within this time
SETTLE_S = 0.2  # after a signal, in which the repeated one is awaited before the handlers from before are set again
RESEND_S = 0.01
_CHILD = getattr(signal, 'SIGCHLD', None)  # Windows has none


class Stopped(FacelmkError):
    """A signal stopped the command; the exit code is the shell's for that signal."""

    def __init__(self, number: int, message: str = '') -> None:
        super().__init__(message or f'stopped by {signal.Signals(number).name}')
        self.exit_code = 128 + number


class Interrupted(KeyboardInterrupt):
    """A signal arrived where the command can end at once. This is no Exception, so handlers of errors let it pass."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass
class _State:
    """What happened to this process; `previous` holds the handlers from before, and is empty without a context."""

    previous: dict[int, Any] = field(default_factory=dict)
    received: list[int] = field(default_factory=list)
    first_time: float = 0.0
    postponed: bool = False
    forking: bool = False
    blocked: Any = ()  # the signals that were blocked before a fork


_state = _State()


def stop_signal() -> int:
    """Return the signal that asked this command to stop, or 0."""
    return _state.received[0] if _state.received else 0


@contextmanager
def graceful_shutdown() -> Iterator[None]:
    """Raise Stopped at the first signal; a second one, at least a second later, calls the handler from before.

    Inside of `postponed` the first signal is only recorded. An ignored SIGHUP stays ignored (nohup). Processes that are
    forked inside have the handlers from before.
    """
    if _state.previous or threading.current_thread() is not threading.main_thread():  # only it receives signals
        yield
        return
    handlers = {number: signal.getsignal(number) or signal.SIG_DFL for number in SIGNALS}
    if handlers.get(getattr(signal, 'SIGHUP', 0)) is signal.SIG_IGN:
        del handlers[signal.SIGHUP]
    _state.previous.update(handlers)
    try:
        for number in handlers:
            signal.signal(number, _on_signal)
        yield
    except Interrupted as stop:
        raise Stopped(stop.number) from None
    finally:
        _restore()


def _restore() -> None:
    """Set the handlers from before, and forget what was received."""
    if _state.received:
        time.sleep(max(0.0, _state.first_time + SETTLE_S - time.monotonic()))
    for number, handler in _state.previous.items():
        signal.signal(number, handler)
    _state.previous.clear()
    _state.received.clear()
    _state.postponed = _state.forking = False


def _on_signal(number: int, frame: Any) -> None:
    if _state.forking:  # an error that is raised during a fork would be lost
        threading.Timer(RESEND_S, os.kill, (os.getpid(), number)).start()
        return
    _state.received.append(number)
    if len(_state.received) == 1:
        _state.first_time = time.monotonic()
        if _CHILD is not None:  # torch's handler would raise an error for each worker that the signal ends, too
            _state.previous.setdefault(_CHILD, signal.signal(_CHILD, signal.SIG_DFL) or signal.SIG_DFL)
        check_signal()
    elif time.monotonic() - _state.first_time > REPEAT_S:
        signal.signal(number, _state.previous[number])
        signal.raise_signal(number)


def check_signal() -> None:
    """Raise Interrupted if a signal was recorded and is not postponed."""
    if _state.received and not _state.postponed:
        raise Interrupted(_state.received[0])


@contextmanager
def postponed() -> Iterator[None]:
    """Only record a signal until the end of this block, which then raises Interrupted unless an outer block is one.

    Outside of a command, the handlers from before get the signal at the end.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield
    elif _state.previous:
        with _mode(postponed=True):
            yield
        check_signal()
    else:
        with _later():
            yield


@contextmanager
def _later() -> Iterator[None]:
    """Send this process a signal again at the end of the block."""
    received: list[int] = []
    handlers = {number: signal.getsignal(number) or signal.SIG_DFL for number in SIGNALS}
    try:
        for number in handlers:
            if handlers[number] is not signal.SIG_IGN:
                signal.signal(number, lambda number, frame: received.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """A block that Ctrl-C ends, and not the command: it does something until it is asked to stop."""
    try:
        yield
    except Interrupted as stop:
        if stop.number != signal.SIGINT:
            raise
        _state.received.clear()


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside of `postponed`, a block in which a signal raises Interrupted at once, also one that was recorded."""
    with _mode(postponed=False):
        check_signal()
        yield


@contextmanager
def _mode(postponed: bool) -> Iterator[None]:
    before = _state.postponed
    try:
        _state.postponed = postponed
        yield
    finally:
        _state.postponed = before


def _before_fork() -> None:
    if _state.previous:  # a signal to the child waits until it has its own handlers
        _state.forking = True
        _state.blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _after_fork_in_parent() -> None:
    if _state.forking:
        signal.pthread_sigmask(signal.SIG_SETMASK, _state.blocked)
        _state.forking = False


def _after_fork_in_child() -> None:
    if _state.forking:
        _state.received.clear()
        with suppress(ValueError):  # an embedded Python, in which this thread may not set handlers
            _restore()
        signal.pthread_sigmask(signal.SIG_SETMASK, _state.blocked)


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
