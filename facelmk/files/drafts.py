"""Drafts: temporary files and folders beside an output, which become the output in one step."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_MAX_NAME_BYTES = 180  # of 255, so that a draft may have a longer name than its target


@contextmanager
def new_draft(path: Path, create: Callable[[Path], object]) -> Iterator[Path]:
    """Create a draft beside `path`; remove it at the end, unless it was renamed.

    Its name is .NAME.tmp, so that the next run replaces the draft of a process that was killed. A lock on it shows that
    its process lives; a second one then uses a name of its own.
    """
    name = path.name.encode(errors='surrogateescape')[:_MAX_NAME_BYTES].decode(errors='ignore')
    draft, lock = _claim(path.with_name(f'.{name}.tmp'), create)
    try:
        yield draft
    finally:
        if _is_same(lock, draft):
            _remove(draft)
        os.close(lock)


def _claim(draft: Path, create: Callable[[Path], object]) -> tuple[Path, int]:
    """Create a draft and lock it, under another name if a living process has this one."""
    _remove_dead(draft)
    with suppress(FileExistsError):
        create(draft)
        with suppress(FileNotFoundError):  # another process took the draft for a dead one before it was locked
            lock = os.open(draft, os.O_RDONLY)
            _lock(lock, wait=True)  # another process may look at this moment whether we are dead
            if _is_same(lock, draft):
                return draft, lock
            os.close(lock)
    return _claim(draft.with_name(f'{draft.name[:-4]}.{uuid.uuid4().hex[:8]}.tmp'), create)


def _remove_dead(draft: Path) -> None:
    """Remove a draft that no process has locked."""
    with suppress(OSError):
        lock = os.open(draft, os.O_RDONLY | getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_NONBLOCK', 0))
        try:
            if _lock(lock) and _is_same(lock, draft):
                _remove(draft)
        finally:
            os.close(lock)


def _lock(descriptor: int, wait: bool = False) -> bool:
    """Lock an open file or folder until it is closed; return False where another has it, or locks do not exist."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (OSError, AttributeError):
        return False
    return True


def _is_same(descriptor: int, path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def paths_below(folder: Path, pattern: str = '*') -> Iterator[Path]:
    """Yield the paths below a folder, without drafts: these may be left of a process that was killed."""
    for path in folder.rglob(pattern):
        parts = path.relative_to(folder).parts
        if not any(part.startswith('.') and part.endswith('.tmp') for part in parts):
            yield path
