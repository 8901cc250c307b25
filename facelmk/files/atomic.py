"""Files written whole or not at all, by us and by mmengine."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mmengine.fileio import LocalBackend, register_backend

from ..errors import TrainingFault

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


def atomic_write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that a reader sees the old one or the new one whole: private file, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, private = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    try:
        with os.fdopen(handle, 'wb') as file:
            write(file)
            commit(file, path, private)
    except BaseException:
        Path(private).unlink(missing_ok=True)
        raise


def commit(file: BinaryIO, path: Path, private: str = '') -> None:
    """Give a file that is whole its name, for good."""
    file.flush()
    os.fsync(file.fileno())
    os.chmod(private or file.name, 0o666 & ~_umask())
    os.replace(private or file.name, path)
    _sync_folder(path.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the rename outlive a power cut, where the system can."""
    if os.name == 'posix':
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class AtomicFiles(LocalBackend):
    """Writes a file so that a reader sees the old one or the new one; mmengine 0.10.7 writes over it."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        write_bytes(Path(filepath), obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one."""

    def write(file: BinaryIO) -> None:
        file.write(data)

    atomic_write(path, write)


@contextmanager
def translate_lost_folder_errors(folder: str | Path) -> Iterator[None]:
    """Tell a folder that can no longer be written to, by logs too, as a fault of the training."""
    try:
        yield
    except OSError as error:
        inside = error.filename is not None and Path(folder).absolute() in Path(str(error.filename)).absolute().parents
        if not inside and error.errno not in _NO_ROOM:
            raise
        raise TrainingFault(
            f'{folder} can no longer be written to ({error}). Make room there, or see whether it was '
            'moved, deleted or unmounted; then go on with --resume'
        ) from error


register_backend('atomic', AtomicFiles, force=True)
