"""Boxes around faces: as numbers, as text on the command line, or in a file for many pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.box_file import FULL, Boxes, BoxFile, as_boxes
from ..errors import FacelmkError

__all__ = ['AUTO', 'FULL', 'Boxes', 'as_boxes', 'boxes_in', 'is_usable', 'parse_boxes']
AUTO = 'auto'
MAX_SIDES = 100  # the longest box, in longer sides of the picture
NEEDED = (
    "Expected 'auto', boxes=[[x1, y1, x2, y2], ...] in pixels of the picture, or boxes='full' where one face fills it"
)


def boxes_in(boxes: Any, width: int, height: int) -> Boxes:
    """Return checked boxes (N, 4) for a picture of that size; 'full' is one box around all of it."""
    if boxes is None or isinstance(boxes, str):
        if boxes != FULL:
            raise FacelmkError(f'boxes={boxes!r}. {NEEDED}')
        return np.array([[0, 0, width, height]], np.float32)
    checked = as_boxes(boxes)
    for i, box in enumerate(checked.tolist()):
        if problem := _problem(box, width, height):
            raise FacelmkError(f'box {i} is {box}. {problem}')
    return checked


def is_usable(box: list[float], width: int, height: int) -> bool:
    """Whether a detected box has pixels of the picture."""
    return _problem(box, width, height) is None


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


def parse_boxes(text: str) -> Callable[[str], Any]:
    """Return a function from picture to boxes.

    The text is 'auto', 'full', 'x1,y1,x2,y2;...' for every picture, or the path of a json or csv file.
    """
    if text in (AUTO, FULL):
        return lambda picture: text
    if Path(text).suffix.lower() in ('.json', '.csv'):
        return BoxFile(Path(text))
    try:
        if not text.strip(' ;'):
            raise ValueError('no box')
        boxes = as_boxes([[float(number) for number in box.split(',')] for box in text.split(';') if box.strip()])
    except (ValueError, FacelmkError) as error:
        raise FacelmkError(
            f'--boxes {text}: expected auto, full, x1,y1,x2,y2 with ; between faces, or a .json or .csv file'
        ) from error
    return lambda picture: boxes
