"""Boxes of many pictures in one file, as detectors write them, and how they belong to annotated faces."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataDefect, FacelmkError
from ..geometry import overlaps
from .defects import short
from .records import FaceRecord, read_text

ADVICE = 'Give a file of boxes: --boxes FILE of facelmk predict, bbox_file of a data set'
Boxes = NDArray[np.float32]
FULL = 'full'
FACE_CATEGORY = 1  # MMPose's; rows of another category are left out


def as_boxes(boxes: Any) -> Boxes:
    """Return one box or several as (N, 4)."""
    try:
        values = boxes.tolist() if hasattr(boxes, 'tolist') else boxes  # tensors of any device and type, too
        with np.errstate(over='ignore'):  # too large numbers become infinite, which `boxes_in` refuses
            array = np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise FacelmkError(f'boxes={boxes!r}. Expected x1, y1, x2, y2 of each face, in pixels') from error
    if array.size == 0:
        return np.zeros((0, 4), np.float32)
    if array.ndim not in (1, 2) or array.shape[-1] != 4:
        raise FacelmkError(f'boxes have shape {array.shape}; expected (N, 4): x1, y1, x2, y2 of each face')
    return array.reshape(-1, 4)


class BoxFile:
    """The boxes of many pictures: json {picture: [[x1, y1, x2, y2], ...]}, the json of predict, MMPose's, or csv rows.

    MMPose's bbox_file is a list of {image_id, bbox: [x, y, width, height], score}; an image_id is a picture's name, or
    a number of `pictures`, {image_id: path}. A csv row is picture,x1,y1,x2,y2. A picture is looked up by its path, from
    the file's folder or from the current one. If the path is not in the file, its name is enough where only one entry
    has that name.
    """

    def __init__(self, file: Path, pictures: Mapping[Any, str] | None = None) -> None:
        self.file = file
        entries = _read_csv(file) if file.suffix.lower() == '.csv' else _read_json(file, pictures or {})
        self.by_name: dict[str, list[Any]] = {}
        self.by_path: dict[str, Any] = {}
        for name, boxes in entries.items():
            self.by_name.setdefault(Path(name).name, []).append(boxes)
            self.by_path |= dict.fromkeys((name, _absolute(file.parent / name), _absolute(Path(name))), boxes)

    def __call__(self, picture: str) -> Any:
        """Return the boxes of a picture, which must have an entry."""
        entries = self.entries(picture)
        if len(entries) != 1:
            raise DataDefect(
                f'{self.file} has {len(entries) or "no"} entries for {picture}. Expected one, named by the path'
            )
        return entries[0]

    def entries(self, picture: str) -> list[Any]:
        """Return the entry of a picture, or all that have its name; none if there is no such name."""
        for path in (picture, _absolute(Path(picture))):
            if path in self.by_path:
                return [self.by_path[path]]
        return self.by_name.get(Path(picture).name, [])


def _absolute(path: Path) -> str:
    return str(path.resolve())


def _read_json(file: Path, pictures: Mapping[Any, str]) -> dict[str, Any]:
    text = read_text(file, ADVICE)
    try:
        entries = json.loads(text)
        if isinstance(entries, list) and not any('faces' in row for row in entries):
            return _detections(file, entries, pictures)
        if isinstance(entries, list):
            entries = {row['path']: [face['box'] for face in row['faces']] for row in entries}
        return {name: boxes if boxes == FULL else as_boxes(boxes) for name, boxes in entries.items()}
    except DataDefect:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, FacelmkError) as error:
        raise DataDefect(
            f'{file}: expected {{"picture.jpg": [[x1, y1, x2, y2], ...]}}, the json that predict writes, or a list of '
            f'{{"image_id": ..., "bbox": [x, y, width, height], "score": ...}} ({type(error).__name__}: {error})'
        ) from error


def _detections(file: Path, rows: list[Any], pictures: Mapping[Any, str]) -> dict[str, Any]:
    """Return the boxes by picture of MMPose's bbox_file."""
    entries: dict[str, list[list[float]]] = {}
    for i, row in enumerate(rows):
        if row.get('category_id', FACE_CATEGORY) != FACE_CATEGORY:
            continue
        name = pictures.get(row['image_id'], row['image_id'])
        if not isinstance(name, str):
            listed = f'none of the {len(pictures)} pictures of the annotations' if pictures else 'the id of no picture'
            raise DataDefect(
                f"{file}, row {i + 1}: image_id={short(repr(name))} is {listed}. Expected an id of the annotations' "
                "pictures, or a picture's file name"
            )
        x, y, width, height = map(float, row['bbox'][:4])
        if not (width > 0 and height > 0 and np.isfinite([x, y, width, height]).all()):
            raise DataDefect(
                f'{file}, row {i + 1}: bbox={row["bbox"]}. Expected x, y, width, height, finite and with positive sides'
            )
        entries.setdefault(name, []).append([x, y, x + width, y + height])
    return {name: as_boxes(boxes) for name, boxes in entries.items()}


def _read_csv(file: Path) -> dict[str, Any]:
    entries: dict[str, list[list[float]]] = {}
    for number, row in enumerate(csv.reader(StringIO(read_text(file, ADVICE))), 1):
        try:
            name, *box = (field.strip() for field in row) if row else ('',)
            if name:
                x1, y1, x2, y2 = map(float, box)
                entries.setdefault(name, []).append([x1, y1, x2, y2])
        except ValueError as error:
            if number > 1:  # the first row may be a header
                raise DataDefect(f'{file}, row {number}: expected picture,x1,y1,x2,y2, not {row}') from error
    return {name: as_boxes(boxes) for name, boxes in entries.items()}


def detections_of(boxes: BoxFile, picture: str) -> Boxes:
    """Return the boxes (N, 4) of a picture of a data set; none if the file does not name it."""
    entries = boxes.entries(picture)
    if len(entries) > 1 or (entries and isinstance(entries[0], str)):
        wrong = f'{len(entries)} entries' if len(entries) > 1 else repr(entries[0])
        raise DataDefect(f'{boxes.file} has {wrong} for {picture}. Expected boxes x1, y1, x2, y2 under its path')
    return entries[0] if entries else np.zeros((0, 4), np.float32)


def warn_undetected(
    file: Path, annotations: Path, faces: Sequence[FaceRecord], counts: tuple[int, int], least: float
) -> None:
    """Log how many faces have a detected box; refuse a file without a box for any of them.

    `counts` are the faces with a detected box, and the boxes that belong to no face.
    """
    count, unused = counts
    if not count:
        raise DataDefect(
            f'{file} has a box for none of the {len(faces)} faces of {annotations}, such as {faces[0]["path"]}. Check '
            f'that it names these pictures, in their pixels, and bbox_iou={least}'
        )
    from mmengine.logging import print_log  # mmengine imports torch

    print_log(
        f'{file}: {count} of {len(faces)} faces have a detected box. {len(faces) - count} have none: metrics count '
        f'them as failures. {unused} boxes belong to no face (intersection over union of at least {least})',
        logger='current',
    )


def match_boxes(boxes: NDArray, detections: NDArray, least: float) -> NDArray[np.int64]:
    """Return the index (N,) of the detection of each box, or -1: the pairs with the largest overlap, from `least` on.

    No detection belongs to two boxes.
    """
    overlap = np.nan_to_num(overlaps(boxes, detections))
    chosen = np.full(len(boxes), -1)
    while overlap.size and overlap.max() >= least and overlap.max() > 0:
        i, j = np.unravel_index(overlap.argmax(), overlap.shape)
        chosen[i], overlap[i], overlap[:, j] = j, -1, -1
    return chosen
