"""Which box of a face is cropped: that of its points where they outline the face, else that of a detector."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets.images.decode import read_image
from ..datasets.records import centred_boxes, tight_boxes
from ..errors import DataDefect, MissingResource
from ..geometry import shares_inside
from ..inference.detectors import find_detector
from ..inference.refine import outlines_face
from ..markups import Markup

MIN_FOUND = 0.6  # of the faces, for the boxes of the detector
MIN_INSIDE = 0.5  # of the points' box, in the box of the detector
MAX_SIDES = 20.0  # of the points' box, as wide as the box of the detector may be

Face = dict[str, Any]


def choose_boxes(markup: Markup, by_part: Mapping[str, Sequence[Face]]) -> str:
    """Set the box of each face, and say in one line which it is.

    `facelmk predict` crops the boxes of its detector, which are like the tight box of a whole face's points. Training
    must crop the same: the tight box itself, where the points outline the face, else the detector's.
    """
    faces = [face for part in by_part.values() for face in part]
    tight = tight_boxes(np.stack([face['landmarks'] for face in faces]), np.stack([face['visible'] for face in faces]))
    if outlines_face(markup):
        _set(faces, tight)
        return 'boxes: tight around the points, like those of the detector that predict uses'
    try:
        found = _detected(faces, tight)
    except MissingResource as error:  # an installation without the detector
        _set(faces, tight)
        return f'boxes: tight around the points ({error})'
    known = np.isfinite(found).all(1)
    if known.mean() < MIN_FOUND:
        _set(faces, tight)
        return (
            f'boxes: tight around the points, because the face detector finds {known.sum()} of {len(faces)} faces. '
            'Predict with such boxes, too: facelmk predict --boxes FILE'
        )
    _set(faces, np.where(known[:, None], found, _like_others(tight, tight[known], found[known])))
    return (
        f'boxes: those of the face detector that predict uses, found for {known.sum()} of {len(faces)} faces; the '
        'others are placed around the points in the same way'
    )


def _set(faces: Sequence[Face], boxes: NDArray) -> None:
    """Set squares around the boxes: the crop is the same, and a file of squares is read without clipping them."""
    squares = centred_boxes((boxes[:, :2] + boxes[:, 2:]) / 2, np.ptp(boxes.reshape(-1, 2, 2), 1).max(-1))
    for face, box in zip(faces, squares.astype(np.float32), strict=True):
        face['box'] = box


def _detected(faces: Sequence[Face], tight: NDArray) -> NDArray[np.float64]:
    """Return the detected box (N, 4) around the points of each face, NaN where none is."""
    detector = find_detector()
    boxes = np.full((len(faces), 4), np.nan)
    by_picture: dict[str, list[int]] = {}
    for i, face in enumerate(faces):
        by_picture.setdefault(face['path'], []).append(i)
    for path, rows in by_picture.items():
        try:
            found, scores = detector(read_image(path))
        except DataDefect:
            continue  # the training will say which picture cannot be decoded
        if len(found):
            boxes[rows] = _matched(tight[rows], found, scores)
    return boxes


def _matched(tight: NDArray, found: NDArray, scores: NDArray) -> NDArray[np.float64]:
    """Return for each box of points (N, 4) the best detected box that holds it, NaN where none does."""
    holds = shares_inside(tight, found) >= MIN_INSIDE
    sides = [np.ptp(boxes.reshape(-1, 2, 2), 1).max(-1) for boxes in (tight, found)]
    holds &= sides[1] <= MAX_SIDES * np.maximum(sides[0], 1)[:, None]
    best = np.where(holds, scores, -1.0).argmax(1)
    return np.where(holds.any(1)[:, None], found[best], np.nan)


def _like_others(tight: NDArray, some: NDArray, found: NDArray) -> NDArray[np.float64]:
    """Return boxes that lie around points as the detected boxes of other faces do, on average."""
    side = np.ptp(some.reshape(-1, 2, 2), 1).max(-1)
    shift = np.median(((found[:, :2] + found[:, 2:]) - (some[:, :2] + some[:, 2:])) / 2 / side[:, None], 0)
    factor = np.median((found[:, 2:] - found[:, :2]) / side[:, None], 0)
    sides = np.ptp(tight.reshape(-1, 2, 2), 1).max(-1)[:, None]
    centre = (tight[:, :2] + tight[:, 2:]) / 2 + shift * sides
    return np.concatenate([centre - factor * sides / 2, centre + factor * sides / 2], 1)
