"""Variables of MATLAB files: scipy reads versions 5 to 7, h5py reads version 7.3, which is HDF5."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, FacelmkError, MissingResource
from ..defects import DefectList, short

HDF5_SIGNATURE = b'\x89HDF\r\n\x1a\n'
MAX_TABLE_VALUES = 1 << 23  # 24 times the values of COFW's 1345 faces
MAX_PICTURE_VALUES = 1 << 26


def read_variables(file: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Return those of the named variables that the file has, as MATLAB shows them; cells as they are stored."""
    with translate_matlab_errors(file):
        if is_hdf5(file):
            with hdf5().File(file) as content:
                return {name: read_array(content[name]).T for name in names if name in content}
        return _read_old(file, names)


def variable_names(file: Path) -> str:
    """Return the names of the variables in a file, for messages."""
    with translate_matlab_errors(file):
        if is_hdf5(file):
            with hdf5().File(file) as content:
                names = [name for name in content if not name.startswith('#')]
        else:
            from scipy.io import whosmat  # optional: only these formats need it

            names = [name for name, *_ in whosmat(file)]
    return ', '.join(map(ascii, names[:20])) or 'nothing'


def read_points(file: Path, name: str, size: int, defects: DefectList) -> NDArray[np.float64] | None:
    """Return the points (K, 2) that a file stores as (K, 2) or (2, K), or None and a defect."""
    try:
        content = read_variables(file, (name,))
        with translate_matlab_errors(file):
            points = np.asarray(content.get(name, ()), np.float64)
        if not points.size:
            raise DataDefect(f'{file} holds no {name!r}, but {variable_names(file)}')
        if points.shape not in ((size, 2), (2, size)):
            raise DataDefect(f'{file}: {name} is {"x".join(map(str, points.shape))}, {size}x2 expected')
    except DataDefect as error:
        defects.add(file, 'the file', str(error).removeprefix(str(file)).lstrip(': '))
        return None
    return points.T if points.shape == (2, size) else points


@contextmanager
def translate_matlab_errors(file: Path) -> Iterator[None]:
    """Turn the errors of scipy and h5py about damaged files, which can be of any class, into DataDefect."""
    try:
        yield
    except FacelmkError:
        raise
    except Exception as error:
        text = ' '.join(str(error).split())[:200]
        raise DataDefect(
            f'{file} is no MATLAB file, or a damaged one ({type(error).__name__}: {text}). Download it again'
        ) from error


def is_hdf5(file: Path) -> bool:
    """Return whether a file has version 7.3: HDF5, after 512 bytes of MATLAB's own."""
    with file.open('rb') as stream:
        start = stream.read(520)
    return HDF5_SIGNATURE in (start[:8], start[512:])


def read_array(dataset: Any, max_values: int = MAX_TABLE_VALUES) -> NDArray:
    """Return an array of an HDF5 file; refuse one that claims to be huge before memory is allocated."""
    shape = getattr(dataset, 'shape', None)
    if shape is None or math.prod(shape) > max_values or dataset.dtype.itemsize > 64:
        raise _too_large(dataset.file.filename, dataset.name, shape, max_values)
    return np.array(dataset)


def _too_large(file: object, name: str, shape: object, max_values: int) -> DataDefect:
    return DataDefect(
        f'{file}: {short(name)} has the shape {shape}. Expected an array of at most {max_values} values. '
        'Check that it is the right file'
    )


def _read_old(file: Path, names: tuple[str, ...]) -> dict[str, Any]:
    try:
        from scipy.io import loadmat, whosmat  # optional: only these formats need it
    except ImportError as error:
        raise MissingResource('MATLAB files up to version 7 need scipy: pip install scipy') from error
    for name, shape, _ in whosmat(file):
        if name in names and math.prod(shape) > MAX_TABLE_VALUES:
            raise _too_large(file, name, shape, MAX_TABLE_VALUES)
    return {name: value for name, value in loadmat(file, variable_names=names).items() if name in names}


def hdf5() -> ModuleType:
    """Return the package h5py, which reads MATLAB files from version 7.3."""
    try:
        import h5py  # optional: only this format needs it
    except ImportError as error:
        raise MissingResource('MATLAB files of version 7.3 need h5py: pip install h5py') from error
    return h5py
