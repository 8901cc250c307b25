"""Atomic writes: a reader sees the old file or the complete new one. All files of the package are written here."""

import errno
import os
import uuid
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
    with path.with_name(f'.{path.name}.{uuid.uuid4().hex[:8]}').open('xb') as file:
        try:
            write(file)
            commit(file, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes by an atomic write."""
    atomic_write(path, lambda file: file.write(data))


def commit(file: BinaryIO, path: Path) -> None:
    """Flush a complete file to the disk and rename it to `path`."""
    file.flush()
    os.fsync(file.fileno())
    os.replace(file.name, path)
    if os.name == 'posix':  # without this, a power cut may undo the rename
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


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
