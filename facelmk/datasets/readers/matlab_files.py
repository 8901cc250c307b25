"""MATLAB's files of either kind: version 5 to 7, which scipy reads, and 7.3, which is HDF5 and read by h5py."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, FacelmkError, MissingResource
from ..defects import short

HDF5 = b'\x89HDF\r\n\x1a\n'
LARGEST = 1 << 23  # numbers of a table: 24 times those of COFW's 1345 faces
PICTURE = 1 << 26  # numbers of a picture


def variables(file: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the variables that a file has, as MATLAB shows them; cells are left as they are stored."""
    with reading(file):
        if is_hdf5(file):
            with hdf5().File(file) as content:
                return {name: whole(content[name]).T for name in names if name in content}
        return _old(file, names)


def listed(file: Path) -> str:
    """The names of the variables that a file has, for messages."""
    with reading(file):
        if is_hdf5(file):
            with hdf5().File(file) as content:
                names = [name for name in content if not name.startswith('#')]
        else:
            from scipy.io import whosmat

            names = [name for name, *_ in whosmat(file)]
    return ', '.join(map(ascii, names[:20])) or 'nothing'


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turns what the readers raise for damaged files, which may be anything, into a defect of the file."""
    try:
        yield
    except FacelmkError:
        raise
    except Exception as error:
        text = ' '.join(str(error).split())[:200]
        raise DataDefect(
            f'{file} is no MATLAB file that can be read, or a damaged one ({type(error).__name__}: '
            f'{text}); fetch it anew'
        ) from error


def is_hdf5(file: Path) -> bool:
    """Whether a file is of version 7.3: HDF5, behind 512 bytes of MATLAB's."""
    with file.open('rb') as stream:
        start = stream.read(520)
    return HDF5 in (start[:8], start[512:])


def whole(dataset: Any, most: int = LARGEST) -> NDArray:
    """An array of an HDF5 file; one that says it is enormous is refused before memory is taken for it."""
    shape = getattr(dataset, 'shape', None)
    if shape is None or math.prod(shape) > most or dataset.dtype.itemsize > 64:
        raise DataDefect(
            f'{dataset.file.filename}: {short(dataset.name)} is no array, or one of {shape} numbers, '
            'which is more than any data set has'
        )
    return np.array(dataset)


def _old(file: Path, names: tuple[str, ...]) -> dict[str, Any]:
    try:
        from scipy.io import loadmat, whosmat  # optional: only these formats need it
    except ImportError as error:
        raise MissingResource('MATLAB files up to version 7 need scipy: pip install facelmk[mat]') from error
    for name, shape, _ in whosmat(file):
        if name in names and math.prod(shape) > LARGEST:
            raise DataDefect(f'{file}: {name} is an array of {shape} numbers, which is more than any data set has')
    return {name: value for name, value in loadmat(file, variable_names=names).items() if name in names}


def hdf5() -> ModuleType:
    """The package that reads MATLAB's files from version 7.3 on."""
    try:
        import h5py  # optional: only this format needs it
    except ImportError as error:
        raise MissingResource('MATLAB files of version 7.3 need h5py: pip install facelmk[mat]') from error
    return h5py
