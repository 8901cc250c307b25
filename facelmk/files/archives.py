"""Unpack zip and tar archives of data sets and weights: all of it is vetted before the first byte is written."""

import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from ..errors import FacelmkError, MissingResource

FILES = 100_000
RATIO = 100  # pictures hardly shrink; texts by 10 or 20
ROOM = 200 << 30  # bytes, unpacked
_NAME, _PATH = 255, 1024  # bytes, what file systems take
_BLOCK = 1 << 20


class Entry(NamedTuple):
    """A file or folder in an archive."""

    name: str
    size: int
    folder: bool
    open: Callable[[], IO[bytes] | None]


def extract(path: str | Path, folder: str | Path, files: int = FILES, room: int = ROOM) -> list[Path]:
    """The files of an archive, unpacked below `folder`; nothing is written if any entry leads out or the sizes lie."""
    path, folder = Path(path), Path(folder)
    if not path.is_file():
        raise MissingResource(f'There is no archive {path} (from {Path.cwd()}). Check the path')
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _unpack(path, [_of_zip(path, archive, info) for info in archive.infolist()], folder, files, room)
        with tarfile.open(path) as tar:
            return _unpack(path, _of_tar(path, tar, files, room), folder, files, room)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise FacelmkError(
            f'{path} cannot be unpacked into {folder}: {error}. If it was downloaded, it may have been '
            'cut off: fetch it again'
        ) from error


def _of_zip(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Entry:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refusal(path, info.filename, 'is a link or a device, no file')
    return Entry(
        getattr(info, 'orig_filename', info.filename), info.file_size, info.is_dir(), partial(archive.open, info)
    )


def _of_tar(path: Path, tar: tarfile.TarFile, files: int, room: int) -> list[Entry]:
    entries: list[Entry] = []
    unpacked = 0
    for info in tar:  # the next header lies behind this entry's bytes: sizes are asked one by one
        if not (info.isreg() or info.isdir()):
            raise _refusal(path, info.name, 'is a link or a device, no file')
        entries.append(Entry(info.name, info.size, info.isdir(), partial(tar.extractfile, info)))
        unpacked += info.size
        _refuse_sizes(path, len(entries), unpacked, files, room)
    return entries


def _unpack(path: Path, entries: Sequence[Entry], folder: Path, files: int, room: int) -> list[Path]:
    _refuse_sizes(path, len(entries), sum(entry.size for entry in entries), files, room)
    for entry in entries:
        _refuse_name(path, entry.name)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory(dir=folder, prefix='.unpacking-') as draft:
        for entry in entries:
            if not entry.folder:
                _write(entry, Path(draft) / entry.name)
                written.append(entry.name)
        return [_moved(Path(draft) / name, folder, name) for name in written]


def _refuse_sizes(path: Path, entries: int, unpacked: int, files: int, room: int) -> None:
    size = path.stat().st_size
    if entries > files:
        raise FacelmkError(f'{path} holds more than {files} files. Unpack it by hand if that is right')
    if unpacked > min(room, RATIO * size + (1 << 20)):
        raise FacelmkError(
            f'{path} has {size} bytes and claims {unpacked} unpacked, more than {RATIO} times as many '
            f'or than {room}. Unpack it by hand if that is right'
        )


def _refuse_name(path: Path, name: str) -> None:
    parts = PurePosixPath(name.replace('\\', '/'))
    if '\0' in name:
        raise _refusal(path, name, 'has a NUL in it')
    if parts.is_absolute() or '..' in parts.parts or name[1:2] == ':':
        raise _refusal(path, name, 'leads out of the folder')
    if len(name.encode(errors='replace')) > _PATH or any(len(p.encode(errors='replace')) > _NAME for p in parts.parts):
        raise _refusal(path, name[:60] + '...', f'is longer than {_NAME} bytes, or {_PATH} with its folders')


def _refusal(path: Path, name: str, why: str) -> FacelmkError:
    return FacelmkError(
        f'{path}: nothing of it is unpacked, for the entry {name!r} {why}. Get the archive from a source that you trust'
    )


def _write(entry: Entry, target: Path) -> None:
    """As many bytes as the archive's table promised, and no more."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source, left = entry.open(), entry.size
    if source is None:
        raise ValueError(f'{entry.name!r} cannot be read')
    with source, target.open('xb') as file:
        while block := source.read(min(_BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                raise ValueError(f'{entry.name!r} is larger than the {entry.size} bytes that were promised')
            file.write(block)


def _moved(draft: Path, folder: Path, name: str) -> Path:
    """Put a file in its place; a link that already lies in the folder must not lead it elsewhere."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f'{target.parent} leads out of {folder}')
    shutil.move(draft, target)
    return target
