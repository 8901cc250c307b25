"""Read a crop cache: the part of a photograph for a face, as long as the picture file is the one that was read."""

import bisect
import logging
import os
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from ...errors import DataDefect
from ..images.decode import read_image
from ..images.pixel_limit import pixel_limit
from ..records import FaceRecord
from .forms import decode_form
from .index import DATA, JPEG, ROW, advice, key_of, read_about, read_index
from .jpeg_rows import RowTable, decode_rows, read_row_table
from .late_part import LatePart
from .part import EMPTY, Picture, PicturePart


class CropStore:
    """The crop cache in a folder. Files are memory-mapped, so all workers share them."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.about = read_about(self.folder)
        self._open()
        if self.about.kind == 'raw' and self.about.opencv != cv2.__version__:
            print_log(
                f'{self.folder}: its pictures were decoded by OpenCV {self.about.opencv}, this is {cv2.__version__}. '
                'Pixels may differ by a grey level; facelmk data cache writes them anew',
                logger='current',
                level=logging.WARNING,
            )

    def _open(self) -> None:
        self.rows = np.asarray(read_index(self.folder))
        self.keys = np.asarray(self.rows['key'])  # plain arrays: indexing a memmap takes ten times as long
        self.data: NDArray[np.uint8] = (
            np.asarray(np.memmap(self.folder / DATA, np.uint8, 'r')) if len(self.rows) else np.empty(0, np.uint8)
        )

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, face: FaceRecord) -> dict[str, int] | None:
        """Return the row of a face, or None."""
        key, check = key_of(face)
        place = bisect.bisect_left(self.keys, np.uint64(key))
        while place < len(self.rows) and self.keys[place] == key:
            values = self.rows[place].item()
            if values[1] == check:
                return dict(zip(ROW.names or (), values, strict=True))
            place += 1
        return None

    def holds(self, face: FaceRecord) -> bool:
        """Return whether the part of a face is stored and its picture file has not changed."""
        row = self.row(face)
        return row is not None and is_current(row, face['path'])

    def part(self, face: FaceRecord, max_pixels: int | None = None) -> PicturePart | None:
        """Return the part of a face's photograph; None if it is not stored, or if the picture file has changed."""
        row = self.row(face)
        if row is None or not is_current(row, face['path']) or row['width'] * row['height'] > pixel_limit(max_pixels):
            return None

        def read() -> Picture:
            return read_image(face['path'], max_pixels)

        width, height, box = row['width'], row['height'], (row['x1'], row['y1'], row['x2'], row['y2'])
        if box == EMPTY:
            return PicturePart(width, height, box, np.empty((0, 0, 3), np.uint8), read)
        content = self.data[row['offset'] : row['offset'] + row['bytes']]
        table = read_row_table(content) if row['form'] == JPEG and is_cut(row) else None
        if table is None:
            return PicturePart(width, height, box, self._pixels(content, row), read)
        return LatePart(width, height, box, partial(self._rows, content, table, row), read)

    def _pixels(self, content: NDArray[np.uint8], row: dict[str, int]) -> Picture:
        image = decode_form(content, row['form'], row['rows'], row['columns'])
        if image is None or image.shape[:2] != (row['rows'], row['columns']):
            raise self._damage(row)
        x, y = row['x1'] - row['left'], row['y1'] - row['top']
        return image[y : y + row['y2'] - row['y1'], x : x + row['x2'] - row['x1']] if is_cut(row) else image

    def _rows(
        self, content: NDArray[np.uint8], table: RowTable, row: dict[str, int], first: int, last: int
    ) -> tuple[Picture, int, int]:
        """Return pixels that contain some rows of the photograph, and where they begin in it."""
        pixels, begin = decode_rows(content, table, first - row['top'], last - row['top'])
        if pixels is None or pixels.shape[1] != row['columns']:
            raise self._damage(row)
        return pixels, row['left'], row['top'] + begin

    def _damage(self, row: dict[str, int]) -> DataDefect:
        return DataDefect(f'{self.folder / DATA} is damaged at byte {row["offset"]}. {advice(self.folder)}')

    def __getstate__(self) -> dict[str, Any]:
        return {'folder': self.folder, 'about': self.about}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()  # a worker that is not forked maps the files again


def is_cut(row: dict[str, int]) -> bool:
    """Return whether the written picture has the pixels of the photograph: otherwise it was reduced."""
    return row['rows'] >= row['y2'] - row['y1'] and row['columns'] >= row['x2'] - row['x1']


def is_current(row: dict[str, int], path: str) -> bool:
    """Return whether a picture file still has the size and the time of its row."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return False  # reading it then raises the error that names it
    return status.st_size == row['file_bytes'] and status.st_mtime_ns == row['file_time']
