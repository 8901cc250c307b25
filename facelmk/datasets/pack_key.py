"""When a packed file belongs to a data set: the reader, its arguments, and the files that it reads.

The content of the files decides, as a sha256. So that a start need not read them, a small file beside the packed one
says which content the files had when their size, inode and times of change were what they are now.
"""

import functools
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..markups import Markup
from .records import IMAGE_SUFFIXES

BLOCK_BYTES = 1 << 20
FILE_BYTES = 4096  # reading one more file takes as long as reading so many more bytes
SETTLED_S = 2.0  # after which a change of a file surely shows in its times


class Sources:
    """The files on which the faces depend, below some files and folders; of pictures, only the names count."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.files: list[tuple[str, os.stat_result | None]] = []
        for path in paths:
            self.files += _files_at(path)
        stats = [status for _, status in self.files if status]
        self.bytes = sum(status.st_size for status in stats) + FILE_BYTES * len(stats)
        self._changed = max((max(status.st_mtime, status.st_ctime) for status in stats), default=0.0)

    def state(self) -> str:
        """Return a digest of names, sizes, inodes and times; the system sets `st_ctime`, no program can set it back."""
        rows = [
            (path, *((status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns) if status else ()))
            for path, status in self.files
        ]
        return digest(rows)

    def content(self) -> str:
        """Return a digest of names and contents."""
        names = _relative([path for path, _ in self.files])
        rows = [
            (name, _hash_of(path) if status else '') for name, (path, status) in zip(names, self.files, strict=True)
        ]
        return digest(rows)

    def is_settled(self) -> bool:
        """Whether the last change is so long ago that another one would have other times."""
        return time.time() - self._changed > SETTLED_S


def _files_at(path: Path) -> Iterator[tuple[str, os.stat_result | None]]:
    """Yield the path and the status of a file, or of all files below a folder; no status for pictures."""
    if not path.is_dir():
        yield os.path.abspath(path), os.stat(path)
        return
    for folder, folders, names in os.walk(os.path.abspath(path)):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(folder, name)
            yield file, None if name.lower().endswith(IMAGE_SUFFIXES) else os.stat(file)


def _relative(paths: Sequence[str]) -> list[str]:
    """Return paths without the folder that all have in common, so that a data set may be moved."""
    root = os.path.dirname(os.path.commonpath(paths)) if paths else ''
    return [path[len(root) :] for path in paths]


def _hash_of(path: str) -> str:
    hasher = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(BLOCK_BYTES):
            hasher.update(block)
    return hasher.hexdigest()


def digest(value: Any) -> str:
    """Return a sha256 of plain data."""
    return hashlib.sha256(json.dumps(value).encode('utf-8', 'surrogatepass')).hexdigest()


def plain(value: Any) -> Any:
    """Return a value as lists, texts and numbers, equal only for equal values; raise TypeError for other objects."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Path):
        return ['path', str(value)]
    if isinstance(value, Markup):
        return ['markup', value.name, value.size]
    if type(value) in (list, tuple):
        return [type(value).__name__, [plain(one) for one in value]]
    if type(value) in (set, frozenset):
        return ['set', sorted(json.dumps(plain(one)) for one in value)]
    if isinstance(value, dict):
        return ['dict', [[plain(key), plain(one)] for key, one in value.items()]]
    raise TypeError(f'{type(value).__name__} has no plain form')


def version_of(reader: type) -> list[Any] | None:
    """Return what changes with the code of a reader: the versions and the source files of its classes.

    None if the reader is not ours and states no `version` of its own: then its list of files may be incomplete.
    """
    inside = f'{__package__.partition(".")[0]}.'
    if not (reader.__module__.startswith(inside) or 'version' in vars(reader)):
        return None
    classes = [kind for kind in reader.__mro__ if hasattr(kind, 'version')]
    files = [getattr(sys.modules.get(kind.__module__), '__file__', None) for kind in classes]
    names = [f'{kind.__module__}.{kind.__qualname__}' for kind in classes]
    return [names, [plain(vars(kind).get('version')) for kind in classes], _hash_files(files), _own_code()]


@functools.cache
def _own_code() -> str:
    """Return the hash of the code that reads annotations."""
    folder = Path(__file__).parent
    return _hash_files(map(str, sorted([*folder.glob('*.py'), *folder.glob('readers/*.py')])))


def _hash_files(files: Iterable[str | None]) -> str:
    return digest([_hash_of(file) if file and os.path.isfile(file) else '' for file in files])
