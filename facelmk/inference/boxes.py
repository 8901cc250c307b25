"""Boxes around faces: given as numbers, as text on the command line, or in a file for many pictures."""

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets.records import read_text
from ..errors import DataDefect, FacelmkError

Boxes = NDArray[np.float32]
FULL = 'full'
LARGEST = 100  # times the longer side of the picture
NEEDED = (
    'a box around each face is needed: boxes=[[x1, y1, x2, y2], ...] in pixels of the picture, or '
    "boxes='full' where one face fills it"
)


def boxes_in(boxes: Any, width: int, height: int) -> Boxes:
    """Boxes (N, 4) for a picture of that size; 'full' is one box around all of it."""
    if boxes is None:
        raise FacelmkError(NEEDED)
    if isinstance(boxes, str):
        if boxes != FULL:
            raise FacelmkError(f'boxes={boxes!r}; {NEEDED}')
        return np.array([[0, 0, width, height]], np.float32)
    found = as_boxes(boxes)
    for i, (x1, y1, x2, y2) in enumerate(found.tolist()):
        told = f'box {i} is {[x1, y1, x2, y2]}'
        if not (np.isfinite(found[i]).all() and x1 < x2 and y1 < y2):
            raise FacelmkError(f'{told}; expected finite numbers, x1 < x2 and y1 < y2: left, top, right, bottom')
        if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
            raise FacelmkError(f'{told} and lies outside of the picture of {width} x {height}')
        if max(x2 - x1, y2 - y1) > LARGEST * max(width, height):  # the whole picture would be a few pixels of the crop
            raise FacelmkError(
                f'{told}, more than {LARGEST} times as large as the picture of {width} x {height}; expected pixels'
            )
    return found


def as_boxes(boxes: Any) -> Boxes:
    """One box or several as (N, 4)."""
    try:
        given = boxes.tolist() if hasattr(boxes, 'tolist') else boxes  # tensors of any device and type, too
        with np.errstate(over='ignore'):  # infinite then, and refused as such
            found = np.asarray(given, np.float32)
    except (TypeError, ValueError) as error:
        raise FacelmkError(f'boxes={boxes!r}; {NEEDED}') from error
    if found.size == 0:
        return np.zeros((0, 4), np.float32)
    if found.ndim not in (1, 2) or found.shape[-1] != 4:
        raise FacelmkError(f'boxes have shape {found.shape}; expected (N, 4): x1, y1, x2, y2 of each face')
    return found.reshape(-1, 4)


def parse_boxes(text: str) -> Callable[[str], Any]:
    """What says a picture's boxes: 'full', 'x1,y1,x2,y2;...' for every picture, or a json or csv file."""
    if text == FULL:
        return lambda picture: FULL
    if Path(text).suffix.lower() in ('.json', '.csv'):
        return BoxFile(Path(text))
    try:
        boxes = as_boxes([[float(number) for number in box.split(',')] for box in text.split(';') if box.strip()])
    except (ValueError, FacelmkError) as error:
        raise FacelmkError(
            f'--boxes {text}: expected full, x1,y1,x2,y2 with ; between faces, or a .json or .csv file'
        ) from error
    return lambda picture: boxes


class BoxFile:
    """The boxes of many pictures: json {picture: [[x1, y1, x2, y2], ...]}, what predict writes, or csv rows.

    A row of csv is picture,x1,y1,x2,y2. Pictures are found by their path from the file's folder or from the current
    one, and else by their name, if only one has it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        rows = _of_csv(file) if file.suffix.lower() == '.csv' else _of_json(file)
        self.by_name: dict[str, list[Any]] = {}
        self.by_path: dict[str, Any] = {}
        for name, boxes in rows.items():
            self.by_name.setdefault(Path(name).name, []).append(boxes)
            self.by_path |= dict.fromkeys((name, _whole(file.parent / name), _whole(Path(name))), boxes)

    def __call__(self, picture: str) -> Any:
        named = self.by_name.get(Path(picture).name, [])
        for path in (picture, _whole(Path(picture))):
            if path in self.by_path:
                return self.by_path[path]
        if len(named) == 1:
            return named[0]
        raise DataDefect(f'{self.file} has {len(named) or "no"} entries for {picture}; expected one by its path')


def _whole(path: Path) -> str:
    return str(path.resolve())


def _of_json(file: Path) -> dict[str, Any]:
    text = read_text(file)
    try:
        found = json.loads(text)
        if isinstance(found, list):
            found = {row['path']: [face['box'] for face in row['faces']] for row in found}
        return {name: boxes if boxes == FULL else as_boxes(boxes) for name, boxes in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError, FacelmkError) as error:
        raise DataDefect(
            f'{file}: expected {{"picture.jpg": [[x1, y1, x2, y2], ...]}}, or the json that predict '
            f'writes ({type(error).__name__}: {error})'
        ) from error


def _of_csv(file: Path) -> dict[str, Any]:
    found: dict[str, list[list[float]]] = {}
    for number, row in enumerate(csv.reader(StringIO(read_text(file))), 1):
        try:
            name, *box = (field.strip() for field in row) if row else ('',)
            if name:
                x1, y1, x2, y2 = map(float, box)
                found.setdefault(name, []).append([x1, y1, x2, y2])
        except ValueError as error:
            if number > 1:  # the first may be a header
                raise DataDefect(f'{file}, row {number}: expected picture,x1,y1,x2,y2, not {row}') from error
    return {name: as_boxes(boxes) for name, boxes in found.items()}
