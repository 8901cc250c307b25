"""Atomic writes: a reader sees the old file or the complete new one. All files of the package are written here."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mmengine.fileio import LocalBackend, register_backend

from ..errors import TrainingFault

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


def atomic_write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Call `write` with a temporary file beside `path`, flush it to the disk and rename it to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    try:
        with os.fdopen(handle, 'wb') as file:
            write(file)
            commit(file, path, temporary)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes by an atomic write."""

    def write(file: BinaryIO) -> None:
        file.write(data)

    atomic_write(path, write)


def commit(file: BinaryIO, path: Path, temporary: str = '') -> None:
    """Flush a complete file to the disk, with the rights of an ordinary new file, and rename it to `path`.

    `temporary` is its present name, if `file.name` is not.
    """
    file.flush()
    os.fsync(file.fileno())
    os.chmod(temporary or file.name, 0o666 & ~_umask())
    os.replace(temporary or file.name, path)
    _sync_folder(path.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the rename survive a power cut, on systems that can."""
    if os.name == 'posix':
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class AtomicFiles(LocalBackend):
    """mmengine's local files with atomic writes; mmengine 0.10.7 overwrites a file in place."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        write_bytes(Path(filepath), obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)


@contextmanager
def translate_lost_folder_errors(folder: str | Path) -> Iterator[None]:
    """Raise TrainingFault if a folder can no longer be written to; log files in it count, too."""
    try:
        yield
    except OSError as error:
        inside = error.filename is not None and Path(folder).absolute() in Path(str(error.filename)).absolute().parents
        if not inside and error.errno not in _UNWRITABLE:
            raise
        raise TrainingFault(
            f'{folder} can no longer be written to ({error}). Free some space, or check whether it was moved, deleted '
            'or unmounted; then continue with --resume'
        ) from error


register_backend('atomic', AtomicFiles, force=True)
