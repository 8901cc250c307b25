"""The columns of a cache of drawn faces: one .npy file for images, landmarks, visible, boxes and tags each."""

import os
from pathlib import Path

import numpy as np

import facelmk.synthetic.landmarks as face_landmarks

from ..errors import DataDefect
from .faces import TAGS

Types = dict[str, tuple[tuple[int, ...], type]]  # the shape and type of one row, by the name of the column


def column_types(size: int) -> Types:
    """The shape and type of one row of each column."""
    return dict(
        image=((size, size, 3), np.uint8),
        landmarks=((face_landmarks.ALL, 2), np.float32),
        visible=((face_landmarks.ALL,), np.float32),
        box=((4,), np.float32),
        tags=((len(TAGS),), bool),
    )


def create_columns(folder: Path, count: int, types: Types) -> None:
    """Create columns of zeros, which need no room on the disk yet."""
    for name, (shape, dtype) in types.items():
        np.lib.format.open_memmap(folder / f'{name}.npy', 'w+', dtype, (count, *shape)).flush()


def open_columns(folder: Path, count: int, types: Types, advice: str) -> dict[str, np.ndarray]:
    """Memory-map the columns of a folder. A damaged column raises DataDefect."""
    columns = {}
    for name, (shape, dtype) in types.items():
        try:
            column = np.load(folder / f'{name}.npy', mmap_mode='r')
            is_sound = column.shape == (count, *shape) and column.dtype == dtype
            finding = f'{column.shape} of {column.dtype}'
        except (OSError, ValueError, EOFError, SyntaxError) as error:
            is_sound, finding = False, f'{type(error).__name__}: {error}'
        if not is_sound:
            raise DataDefect(
                f'{folder / name}.npy is damaged ({finding}). Expected {(count, *shape)} of {np.dtype(dtype)}. {advice}'
            )
        columns[name] = column
    return columns


def write_rows(folder: Path, name: str, low: int, values: np.ndarray) -> None:
    """Write rows of a column from number `low` on, down to the disk. A full disk is an OSError, as with any file."""
    column = np.load(folder / f'{name}.npy', mmap_mode='r')
    rows = np.ascontiguousarray(values, column.dtype)
    with open(folder / f'{name}.npy', 'r+b') as file:
        file.seek(column.offset + low * rows[:1].nbytes)
        file.write(rows.tobytes())
        file.flush()
        os.fsync(file.fileno())
