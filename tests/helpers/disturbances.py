"""Ways in which writing fails: a full disk, a limit on the size of files, Ctrl-C, SIGTERM and SIGKILL."""

import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from facelmk.files import atomic

ERRORS = {
    'full': lambda: _raise(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
    'Ctrl-C': lambda: _raise(KeyboardInterrupt()),
    'SIGTERM': lambda: signal.raise_signal(signal.SIGTERM),
}


def _raise(error: BaseException) -> None:
    raise error


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Each file below a folder, by its inode and content: a file that was replaced has another inode."""
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_ino, path.read_bytes())
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


@contextmanager
def at_commit(number: int, act: Callable[[], object]) -> Iterator[list[Path]]:
    """Call `act` before the file with this number gets its name; yield the paths of all files that were written."""
    commit, paths = atomic.commit, []

    def disturbed(file, path):
        paths.append(path)
        if len(paths) == number:
            act()
        commit(file, path)

    with mock.patch.object(atomic, 'commit', disturbed):
        yield paths


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file may be longer than this, as with `ulimit -f`."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def killed(work: Callable[[], object], number: int) -> None:
    """Do some work in another process, which is killed before the file with this number gets its name."""
    child = os.fork()
    if not child:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            with at_commit(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                work()
        finally:
            os._exit(99)  # it should not live to see this
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
