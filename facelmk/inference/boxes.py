"""Boxes around faces: as numbers, as text on the command line, or in a file for many pictures."""

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
MAX_SIDES = 100  # the longest box, in longer sides of the picture
NEEDED = (
    'a box around each face is needed: boxes=[[x1, y1, x2, y2], ...] in pixels of the picture, or '
    "boxes='full' where one face fills the picture"
)


def boxes_in(boxes: Any, width: int, height: int) -> Boxes:
    """Return checked boxes (N, 4) for a picture of that size; 'full' is one box around all of it."""
    if boxes is None:
        raise FacelmkError(NEEDED)
    if isinstance(boxes, str):
        if boxes != FULL:
            raise FacelmkError(f'boxes={boxes!r}; {NEEDED}')
        return np.array([[0, 0, width, height]], np.float32)
    checked = as_boxes(boxes)
    for i, box in enumerate(checked.tolist()):
        if problem := _problem(box, width, height):
            raise FacelmkError(f'box {i} is {box}. {problem}')
    return checked


def _problem(box: list[float], width: int, height: int) -> str | None:
    """What is wrong with a box; None if nothing is."""
    x1, y1, x2, y2 = box
    if not (np.isfinite(box).all() and x1 < x2 and y1 < y2):
        return 'Expected finite numbers, x1 < x2 and y1 < y2: left, top, right, bottom'
    if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
        return f'It lies outside of the picture of {width} x {height} pixels'
    if max(x2 - x1, y2 - y1) > MAX_SIDES * max(width, height):  # in the crop the picture would be a few pixels
        return f'It is more than {MAX_SIDES} times as large as the picture of {width} x {height}. Expected pixels'
    return None


def as_boxes(boxes: Any) -> Boxes:
    """Return one box or several as (N, 4)."""
    try:
        values = boxes.tolist() if hasattr(boxes, 'tolist') else boxes  # tensors of any device and type, too
        with np.errstate(over='ignore'):  # too large numbers become infinite, which `boxes_in` refuses
            array = np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise FacelmkError(f'boxes={boxes!r}; {NEEDED}') from error
    if array.size == 0:
        return np.zeros((0, 4), np.float32)
    if array.ndim not in (1, 2) or array.shape[-1] != 4:
        raise FacelmkError(f'boxes have shape {array.shape}; expected (N, 4): x1, y1, x2, y2 of each face')
    return array.reshape(-1, 4)


def parse_boxes(text: str) -> Callable[[str], Any]:
    """Return a function from picture to boxes, for 'full', 'x1,y1,x2,y2;...' (every picture), a json or a csv file."""
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
    """The boxes of many pictures: json {picture: [[x1, y1, x2, y2], ...]}, the json of predict, or csv rows.

    A csv row is picture,x1,y1,x2,y2. A picture is looked up by its path, from the file's folder or from the current
    one. If the path is not in the file, its name is enough where only one entry has that name.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        entries = _read_csv(file) if file.suffix.lower() == '.csv' else _read_json(file)
        self.by_name: dict[str, list[Any]] = {}
        self.by_path: dict[str, Any] = {}
        for name, boxes in entries.items():
            self.by_name.setdefault(Path(name).name, []).append(boxes)
            self.by_path |= dict.fromkeys((name, _absolute(file.parent / name), _absolute(Path(name))), boxes)

    def __call__(self, picture: str) -> Any:
        for path in (picture, _absolute(Path(picture))):
            if path in self.by_path:
                return self.by_path[path]
        same_name = self.by_name.get(Path(picture).name, [])
        if len(same_name) == 1:
            return same_name[0]
        raise DataDefect(
            f'{self.file} has {len(same_name) or "no"} entries for {picture}. Expected one, named by the path'
        )


def _absolute(path: Path) -> str:
    return str(path.resolve())


def _read_json(file: Path) -> dict[str, Any]:
    text = read_text(file)
    try:
        entries = json.loads(text)
        if isinstance(entries, list):
            entries = {row['path']: [face['box'] for face in row['faces']] for row in entries}
        return {name: boxes if boxes == FULL else as_boxes(boxes) for name, boxes in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError, FacelmkError) as error:
        raise DataDefect(
            f'{file}: expected {{"picture.jpg": [[x1, y1, x2, y2], ...]}}, or the json that predict '
            f'writes ({type(error).__name__}: {error})'
        ) from error


def _read_csv(file: Path) -> dict[str, Any]:
    entries: dict[str, list[list[float]]] = {}
    for number, row in enumerate(csv.reader(StringIO(read_text(file))), 1):
        try:
            name, *box = (field.strip() for field in row) if row else ('',)
            if name:
                x1, y1, x2, y2 = map(float, box)
                entries.setdefault(name, []).append([x1, y1, x2, y2])
        except ValueError as error:
            if number > 1:  # the first row may be a header
                raise DataDefect(f'{file}, row {number}: expected picture,x1,y1,x2,y2, not {row}') from error
    return {name: as_boxes(boxes) for name, boxes in entries.items()}
