"""Processes that make the same file: one makes it, and the others wait and find it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def one_at_a_time(file: Path, waiting: Callable[[], object]) -> Iterator[None]:
    """Hold the system's lock on `file`, after the process that has it; call `waiting` if there is one.

    The system frees the lock of a process that ends in any way. Where no lock file can be made, and on file systems
    without locks, no process waits: what is made must then be correct if several processes make it.
    """
    descriptor = None
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, 'O_NOFOLLOW', 0), 0o666)
    try:
        if descriptor is not None:
            _wait(descriptor, waiting)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _wait(descriptor: int, waiting: Callable[[], object]) -> None:
    """Lock an open file, as soon as no other process has it."""
    if fcntl is None:
        return
    with suppress(OSError):  # this file system has no locks
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
