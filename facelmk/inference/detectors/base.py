"""What all detectors share: the rule from their box to the landmarks' box, and the check of what they return."""

import threading
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import FacelmkError
from ...geometry import overlaps

Picture = NDArray[np.uint8]
Boxes = NDArray[np.float32]  # (N, 4): x1, y1, x2, y2
Scores = NDArray[np.float32]  # (N,), from 0 to 1
Limits = Mapping[str, Any]
BLOCK = 256  # boxes that are compared with all others at once: all pairs of 40,000 boxes would take 13 GB


class BoxRule(NamedTuple):
    """Maps a detector's box to the tight box of the landmarks, which the networks were trained with.

    `shift` moves the centre right and down, as shares of the detector's width and height. `factor` multiplies width and
    height. `tools/fit_box_rule.py` measures both on annotated faces.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    factor: tuple[float, float] = (1.0, 1.0)

    def __call__(self, boxes: ArrayLike) -> Boxes:
        """Map boxes (N, 4)."""
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        low, high = boxes[:, :2], boxes[:, 2:]
        centre, half = (low + high) / 2 + (high - low) * self.shift, (high - low) * self.factor / 2
        return np.concatenate((centre - half, centre + half), 1).astype(np.float32)

    @classmethod
    def fit(cls, detected: ArrayLike, tight: ArrayLike) -> 'BoxRule':
        """Return the rule of detected boxes (N, 4) and the tight boxes (N, 4) of the same faces: the median of each.

        The shift to the right is 0: a face and its mirror image have the same rule.
        """
        a, b = (np.asarray(boxes, np.float64).reshape(-1, 4) for boxes in (detected, tight))
        size = a[:, 2:] - a[:, :2]
        down = np.median((b[:, 1] + b[:, 3] - a[:, 1] - a[:, 3]) / 2 / size[:, 1])
        width, height = np.median((b[:, 2:] - b[:, :2]) / size, axis=0)
        return cls((0.0, round(float(down), 3)), (round(float(width), 3), round(float(height), 3)))


class Detector:
    """Finds faces in a picture (H, W, 3) BGR: a call returns the tight boxes (N, 4) of their landmarks and scores (N,).

    A subclass defines `find`, which returns the detector's own boxes, and `box_rule`, which adapts them. `endings` are
    the endings of the files that hold its weights, so that a file alone chooses the detector.
    """

    box_rule: BoxRule = BoxRule()
    endings: ClassVar[tuple[str, ...]] = ()
    ranges: ClassVar[Limits] = {}

    def find(self, image: Picture) -> Any:
        """Return boxes (N, 4), boxes with scores (N, 5), or both arrays, before the rule."""
        raise NotImplementedError

    def __call__(self, image: Picture) -> tuple[Boxes, Scores]:
        boxes, scores = as_detections(self.find(image), self)
        return self.box_rule(boxes), scores

    def __repr__(self) -> str:
        return type(self).__name__


class OtherDetector(Detector):
    """A function or object of another project. Its boxes are used as they are, or through a rule that is given."""

    def __init__(self, function: Any, box_rule: BoxRule | None = None) -> None:
        self.function, self.box_rule = function, box_rule or BoxRule()

    def find(self, image: Picture) -> Any:
        return self.function(image)

    def __repr__(self) -> str:
        return getattr(self.function, '__name__', type(self.function).__name__)


class OnePerThread:
    """An object for each thread, made on first use: OpenCV's and MediaPipe's detectors cannot be shared."""

    def __init__(self, make: Any) -> None:
        self.make, self.local = make, threading.local()

    def __reduce__(self) -> tuple[type['OnePerThread'], tuple[Any]]:
        """Another process makes its own objects."""
        return OnePerThread, (self.make,)

    def __call__(self) -> Any:
        if not hasattr(self.local, 'value'):
            self.local.value = self.make()
        return self.local.value


def as_detections(found: Any, detector: Any) -> tuple[Boxes, Scores]:
    """Return what a detector returns as boxes (N, 4) and scores (N,); without scores they are 1.

    It may return boxes (N, 4), boxes with scores (N, 5), or a tuple of boxes (N, 4) and scores (N,).
    """
    scores = None
    if isinstance(found, tuple) and len(found) == 2 and _array(found[1], detector).ndim < 2:
        first = _array(found[0], detector)
        if first.ndim == 2 or not first.size:
            found, scores = first, _array(found[1], detector).reshape(-1)
    array = _array(found, detector)
    if not array.size:
        array = array.reshape(0, 4)
    if array.ndim == 2 and array.shape[1] == 5 and scores is None:
        array, scores = array[:, :4], array[:, 4]
    if array.ndim != 2 or array.shape[1] != 4:
        raise FacelmkError(
            f'{_name(detector)} returned boxes of shape {array.shape}. Expected (N, 4): x1, y1, x2, y2, or (N, 5) with '
            'a score'
        )
    scores = np.ones(len(array)) if scores is None else scores
    if len(scores) != len(array):
        raise FacelmkError(f'{_name(detector)} returned {len(array)} boxes and {len(scores)} scores. Expected as many')
    finite = np.isfinite(array).all(1) & np.isfinite(scores)
    wrong = np.flatnonzero(~(finite & (array[:, 0] < array[:, 2]) & (array[:, 1] < array[:, 3])))
    if len(wrong):
        i = wrong[0]
        raise FacelmkError(
            f'{_name(detector)} returned box {i}: {array[i].tolist()}, score {scores[i]}. Expected finite numbers, '
            'x1 < x2 and y1 < y2: left, top, right, bottom, not a width and a height'
        )
    return array.astype(np.float32), scores.astype(np.float32)


def _array(values: Any, detector: Any) -> NDArray[np.float64]:
    try:
        if values is None:
            raise TypeError('None is no array')  # numpy makes NaN of it
        return np.asarray(values.tolist() if hasattr(values, 'tolist') else values, np.float64)
    except (TypeError, ValueError) as error:
        raise FacelmkError(
            f'{_name(detector)} returned a {type(values).__name__} that holds no boxes. Expected (N, 4): x1, y1, x2, y2'
        ) from error


def _name(detector: Any) -> str:
    return repr(detector) if isinstance(detector, Detector) else type(detector).__name__


def suppress(boxes: Boxes, scores: Scores, most_overlap: float) -> NDArray[np.int64]:
    """Return the indices of boxes by descending score, without those that overlap a better one by more than that.

    The overlap is the intersection over the union of both boxes.
    """
    order, chosen = np.argsort(-scores, kind='stable'), list[int]()
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        free = ~(overlaps(boxes[block], boxes[chosen]) > most_overlap).any(1)
        overlap = overlaps(boxes[block], boxes[block]) > most_overlap
        for i in range(len(block)):
            if free[i]:
                chosen.append(int(block[i]))
                free &= ~overlap[i]
    return np.array(chosen, np.int64)
