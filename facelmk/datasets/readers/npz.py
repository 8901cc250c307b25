"""Landmarks in one NumPy archive, as scripts that label pictures write them."""

import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, FacelmkError
from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..columns import FaceColumns
from ..defects import short
from ..records import translate_read_errors

MAX_BYTES = 1 << 28  # 150 times the size of 874 faces with 166 points
EXPECTED = 'Expected names (N,) and points (N, K, 2), optionally visible (N, K) and boxes (N, 4)'


@DATASETS.register_module()
class NpzFaces(AnnotatedFaces):
    """An .npz with the `names` (N,) of the pictures and their `points` (N, K, 2).

    It can also hold `visible` (N, K), by default 1, and `boxes` (N, 4), by default the squares around the visible
    landmarks. If each point has a third number, the reader drops it.
    """

    layout = 'a .npz'

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        if path.suffix.lower() != '.npz':
            return None
        names, columns = read_archive(path)
        return Detected({'ann_file': str(path)}, columns['points'].shape[1], names[:20])

    def read(self, file: Path) -> FaceColumns:
        names, columns = read_archive(file)
        return self.rows(file, names, columns['points'][..., :2], columns.get('boxes'), columns.get('visible'))


def read_archive(file: Path) -> tuple[list[str], dict[str, NDArray]]:
    """Return the names, and the arrays `points` and, if the archive has them, `visible` and `boxes`."""
    with translate_read_errors(file), _translate_archive_errors(file):
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_BYTES:
            raise DataDefect(f'{file} unpacks to {size} bytes. Expected at most {MAX_BYTES}. Split the archive')
        with np.load(file, allow_pickle=False) as archive:
            columns = {name: archive[name] for name in ('points', 'names', 'visible', 'boxes') if name in archive}
        _check(file, columns)
        return columns.pop('names').tolist(), columns


@contextmanager
def _translate_archive_errors(file: Path) -> Iterator[None]:
    """Turn the errors of zipfile and NumPy into ours; NumPy has a dozen kinds for damaged arrays."""
    try:
        yield
    except (FacelmkError, OSError):
        raise
    except Exception as error:
        raise DataDefect(f'{file} is no NumPy archive of plain arrays ({short(repr(error))}). {EXPECTED}') from error


def _check(file: Path, columns: dict[str, NDArray]) -> None:
    """Raise DataDefect if an array is missing, or has another type or shape than expected."""
    missing = [name for name in ('names', 'points') if name not in columns]
    if missing:
        raise DataDefect(f'{file} has no array {missing[0]!r}. {EXPECTED}')
    damaged = [name for name, column in columns.items() if not isinstance(column, np.ndarray)]
    if damaged:
        raise DataDefect(f'{file}: {damaged[0]!r} is damaged: it is no array. {EXPECTED}')
    points = columns['points']
    N, K, numbers = points.shape if points.ndim == 3 else (0, 0, 0)
    shapes = {'names': (N,), 'points': (N, K, min(max(numbers, 2), 3)), 'visible': (N, K), 'boxes': (N, 4)}
    for name, column in columns.items():
        if column.shape != shapes[name] or column.dtype.kind not in ('U' if name == 'names' else 'fiub'):
            raise DataDefect(f'{file}: {name!r} is an array {column.shape} of {column.dtype}. {EXPECTED}')
    names = columns['names']
    codes = np.frombuffer(names.astype(names.dtype.newbyteorder('=')).tobytes(), np.uint32)
    if codes.max(initial=0) > sys.maxunicode:  # Python's string functions fail on such a letter
        raise DataDefect(f"{file}: 'names' is damaged: letter {codes.max()} does not exist. {EXPECTED}")
