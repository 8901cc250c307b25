"""The index of a crop cache: one row a face, and the facts that hold for all of them."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, MissingResource
from ...files.atomic import write_bytes
from ..records import FaceRecord

VERSION = 1
ABOUT, INDEX, DATA = 'about.json', 'index.npy', 'crops.bin'
RAW, JPEG, PNG = 0, 1, 2  # how the pixels of a row are written
ROW = np.dtype(
    [
        ('key', '<u8'),  # rows are in the order of this number
        ('check', '<u8'),
        ('offset', '<u8'),
        ('bytes', '<u8'),
        ('file_bytes', '<u8'),  # size and time of the picture file
        ('file_time', '<i8'),
        ('form', '<u4'),
        ('left', '<i4'),  # where the written picture begins in the photograph: a JPEG is a little larger than its box
        ('top', '<i4'),
        ('x1', '<i4'),
        ('y1', '<i4'),
        ('x2', '<i4'),
        ('y2', '<i4'),
        ('width', '<i4'),  # of the photograph
        ('height', '<i4'),
        ('rows', '<i4'),  # of the written picture
        ('columns', '<i4'),
    ]
)
KINDS = ('raw', 'packed')


@dataclass(frozen=True)
class About:
    """How the pixels are stored: 'raw' or 'packed', and the longest side that they were reduced to (0: not reduced)."""

    kind: str
    resize: int = 0
    opencv: str = cv2.__version__  # another version may decode other pixels
    version: int = VERSION

    def describe(self) -> str:
        """Return the kind in words."""
        return self.kind + (f', reduced to at most {self.resize} pixels' if self.resize else ', lossless')


def read_about(folder: Path) -> About:
    """Return the facts about a crop cache."""
    try:
        facts = json.loads((folder / ABOUT).read_text(encoding='utf-8'))
        return About(**facts)
    except FileNotFoundError as error:
        raise MissingResource(
            f'{folder} is no crop cache (it has no {ABOUT}), from {Path.cwd()}. Make it with: facelmk data cache '
            f'CONFIG --out {folder}'
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise DataDefect(f'{folder / ABOUT} is damaged ({error}). {advice(folder)}') from error


def write_about(folder: Path, about: About) -> None:
    """Write the facts about a new crop cache."""
    write_bytes(folder / ABOUT, json.dumps(asdict(about)).encode())


def read_index(folder: Path) -> NDArray[Any]:
    """Memory-map the rows; none if nothing is stored yet. A damaged file raises DataDefect."""
    file = folder / INDEX
    try:
        if not file.exists():
            return np.empty(0, ROW)
        rows = np.load(file, mmap_mode='r')
        size = os.path.getsize(folder / DATA) if len(rows) else 0
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise DataDefect(f'{file} is damaged ({type(error).__name__}: {error}). {advice(folder)}') from error
    if rows.dtype != ROW or rows.ndim != 1:
        raise DataDefect(f'{file} is damaged (rows of {rows.dtype}). {advice(folder)}')
    if len(rows) and int((rows['offset'] + rows['bytes']).max()) > size:
        raise DataDefect(f'{folder / DATA} is cut off at {size} bytes. {advice(folder)}')
    return rows


def write_index(folder: Path, rows: Mapping[tuple[int, int], tuple[int, ...]]) -> None:
    """Write all rows in the order of their keys, by an atomic write."""
    table = np.array([key + row for key, row in sorted(rows.items())], ROW)
    header = {'descr': np.lib.format.dtype_to_descr(ROW), 'fortran_order': False, 'shape': (len(table),)}
    write_bytes(folder / INDEX, npy_header(header) + table.tobytes())


def npy_header(header: dict[str, Any]) -> bytes:
    """Return the header of a .npy file."""
    import io

    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def advice(folder: Path) -> str:
    """What to do about a damaged cache."""
    return f'Delete the folder {folder}, and make it again with facelmk data cache'


def key_of(face: FaceRecord) -> tuple[int, int]:
    """Return two numbers that name a face: its picture and its boxes. Its id depends on the set that contains it."""
    digest = hashlib.blake2b(os.path.abspath(face['path']).encode('utf-8', 'surrogateescape'), digest_size=16)
    for name in ('box', 'detection'):
        box = face.get(name)
        digest.update(b'none' if box is None else np.asarray(box, np.float32).tobytes())
    number = digest.digest()
    return int.from_bytes(number[:8], 'little'), int.from_bytes(number[8:], 'little')
