"""Atomic writes: a reader sees the old file or the complete new one. All files of the package are written here."""

import errno
import io
import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import FULL_DISK, TrainingFault, UnwritableOutput
from .drafts import new_draft
from .merging import merge_into
from .signals import postponed


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write bytes into a temporary file beside `path`, flush it to the disk and rename it to `path`.

    Devices and pipes, such as /dev/stdout, are written directly.
    """
    with translate_output_errors(path):
        check_output(path)
        if _is_stream(path):
            with path.open('wb') as stream:
                stream.write(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_draft(path, lambda draft: draft.touch(exist_ok=False)) as draft, draft.open('wb') as file:
            file.write(data)
            commit(file, path)


def atomic_write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Call `write` with a stream in memory, then write its content by an atomic write.

    So an error of `write` is never one of the disk: torch reports a full disk as an error of its own format.
    """
    content = io.BytesIO()
    write(content)
    write_bytes(path, content.getbuffer())


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


@contextmanager
def output_file(path: str | Path) -> Iterator[Path]:
    """Yield a path of the same name for a program that writes files; at the end the complete file appears at `path`.

    Nothing appears if the block fails, or if it writes nothing.
    """
    path = Path(path)
    with ExitStack() as stack:
        with translate_output_errors(path):
            check_output(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(new_draft(path, Path.mkdir))
        try:
            yield folder / path.name
        except UnwritableOutput as error:  # the user knows the file, not its draft
            raise UnwritableOutput(path, OSError(error.errno, error.strerror)) from error
        if (folder / path.name).exists():
            with translate_output_errors(path), (folder / path.name).open('rb+') as file:
                commit(file, path)


@contextmanager
def output_folder(folder: str | Path, last: Sequence[str] = (), inside: bool = False) -> Iterator[Path]:
    """Yield an empty draft folder; at the end, all files in it appear in `folder` together, those of `last` at the end.

    If the block fails, `folder` stays as it was. The draft lies beside it, or `inside` it if it exists: then only its
    subfolders are replaced in one step each.
    """
    folder = Path(folder)
    with ExitStack() as stack:
        with translate_output_errors(folder):
            check_output(folder, folder=True)
            inside = folder.is_dir() and (inside or not _is_beside(folder.resolve().parent, folder))
            base = folder if inside else folder.parent
            base.mkdir(parents=True, exist_ok=True)
            draft = stack.enter_context(new_draft(base / folder.resolve().name, Path.mkdir))
        try:
            yield draft
        except UnwritableOutput as error:  # the user knows the folder, not its draft
            path = Path(error.filename)
            if not path.is_relative_to(draft):
                raise
            raise UnwritableOutput(folder / path.relative_to(draft), OSError(error.errno, error.strerror)) from error
        with translate_output_errors(folder), postponed():
            merge_into(draft, folder, last)


def _is_beside(parent: Path, folder: Path) -> bool:
    """Whether a folder can be renamed within its parent."""
    return os.access(parent, os.W_OK) and parent.stat().st_dev == folder.stat().st_dev and not folder.is_symlink()


def check_output(path: str | Path, folder: bool = False) -> None:
    """Refuse a path that no file (or `folder`) can be written to: call this before the work whose result it gets."""
    path = Path(path)
    with translate_output_errors(path):
        with suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()  # raises for a name that no file can have
        exists = path.exists()
        if exists and path.is_dir() != folder:
            number = errno.ENOTDIR if folder else errno.EISDIR
            raise OSError(number, 'it is a file, and a folder is expected' if folder else 'it is a folder')
        existing = path if exists else next(parent for parent in path.absolute().parents if parent.exists())
        if not exists and not existing.is_dir():
            raise OSError(errno.ENOTDIR, f'{existing} is no folder')
        for target in {existing} if existing.is_dir() or _is_stream(path) else {existing, existing.absolute().parent}:
            _check_access(target)


def _check_access(path: Path) -> None:
    if os.access(path, os.W_OK):
        return
    if os.name == 'posix' and os.statvfs(path).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, f'{path} is on a read-only disk')
    raise OSError(errno.EACCES, f'{path} does not let this user write')


def _is_stream(path: Path) -> bool:
    """Whether a path is a device, a pipe, or a link to an open file: nothing there can be replaced."""
    folder = path.absolute().parent.resolve()
    if folder == Path('/dev') or folder.is_relative_to('/proc'):
        return path.exists()
    return path.exists() and not (stat.S_ISREG(path.stat().st_mode) or path.is_dir())


@contextmanager
def translate_output_errors(path: str | Path) -> Iterator[None]:
    """Raise UnwritableOutput, which names `path`, in place of another OSError."""
    try:
        yield
    except UnwritableOutput:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        cause = error if isinstance(error, OSError) else OSError(errno.EINVAL, str(error))
        raise UnwritableOutput(path, cause) from error


@contextmanager
def translate_lost_folder_errors(folder: str | Path) -> Iterator[None]:
    """Raise TrainingFault if a folder can no longer be written to; log files in it count, too."""
    try:
        with ignore_log_errors():
            yield
    except OSError as error:
        inside = error.filename is not None and Path(folder).absolute() in Path(str(error.filename)).absolute().parents
        if not inside and error.errno not in (*FULL_DISK, errno.EROFS):
            raise
        reason = f'{error.filename}: {error.strerror}' if isinstance(error, UnwritableOutput) else error
        raise TrainingFault(
            f'{folder} can no longer be written to ({reason}). Free some space, or check whether it was moved, deleted '
            'or unmounted; then continue with --resume'
        ) from error


@contextmanager
def ignore_log_errors() -> Iterator[None]:
    """Print nothing for a line that a log file cannot take: on a full disk, Python prints a traceback for each line."""
    log_errors, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        yield
    finally:
        logging.raiseExceptions = log_errors
