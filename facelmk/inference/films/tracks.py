"""Faces that are followed from frame to frame: each has an id, its last box, and how fast it moves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...datasets.box_file import match_boxes
from ...geometry import exact_box, overlaps
from .smoothing import Smoother

Box = NDArray[np.float32]
STILL = 0.9  # overlap of the crop's box and the landmarks' box above which the crop stays where it is
WEAK_SCORE = 0.3  # of a calibrated network: below it, the detector looks for the face again
WEAK_SHARE, LOST_SHARE = 0.5, 0.25  # of the face's mean score, for a network without a calibration
LEAST_OVERLAP = 0.15  # of a face's boxes in two frames
MEMORY_S = 1.0  # for which a lost face keeps its id
NEAR = 1.5  # the factor by which boxes grow when a face is looked for that was lost
CUT_SIDE_PX = 32
CUT_DIFFERENCE = 25.0  # mean difference of two small grey frames, of 255 ...
CUT_CORRELATION = 0.6  # ... and their correlation, for a cut


@dataclass
class Track:
    """A face in the film: `box` is the box of its landmarks in the last frame that shows it, at `time` seconds.

    `crop` is the box of the next crop, `speed` the movement of the centre in pixels a second. `is_weak` is whether the
    score has fallen, so that the detector should look for the face.
    """

    id: int
    box: Box
    time: float
    crop: Box
    mean_score: float
    speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    smoother: Smoother | None = None
    is_weak: bool = False

    def at(self, time: float, box: Box | None = None) -> Box:
        """Return where a box of the face (by default the last one) should be at a time, if it moves on as before."""
        shift = self.speed * (time - self.time)
        return ((self.box if box is None else box) + np.tile(shift, 2)).astype(np.float32)

    def is_lost(self, prediction: dict[str, Any]) -> bool:
        """Whether a prediction in this track's crop is not its face."""
        box = exact_box(prediction['landmarks'])
        gone = prediction.get('score') is None and mean_score(prediction) < LOST_SHARE * self.mean_score
        return gone or not (box[2:] > box[:2]).all() or overlaps([self.box], [box])[0, 0] < LEAST_OVERLAP

    def update(self, prediction: dict[str, Any], crop: Box, time: float) -> None:
        """Take over what was predicted in a crop of the frame at `time`."""
        box = exact_box(prediction['landmarks'])
        step, score = time - self.time, prediction.get('score')
        if step > 0:
            moved = (box[:2] + box[2:] - self.box[:2] - self.box[2:]) / 2 / step
            self.speed = (self.speed + moved) / 2 if step < MEMORY_S else np.zeros(2)
        weak = WEAK_SHARE * self.mean_score > mean_score(prediction) if score is None else float(score) < WEAK_SCORE
        self.is_weak = weak
        self.crop = crop if overlaps([crop], [box])[0, 0] >= STILL else box
        self.mean_score += 0.1 * (mean_score(prediction) - self.mean_score)
        self.box, self.time = box, time


def mean_score(prediction: dict[str, Any]) -> float:
    """Return the mean score of the landmarks, which may be a tensor."""
    return float(np.asarray(prediction['scores']).mean())


def match_lost(lost: Sequence[Track], boxes: Sequence[Box], time: float) -> dict[int, Track]:
    """Return the lost track of each new box that is near the place where its face should be by now."""
    if not lost or not boxes:
        return {}
    wide = grow(np.array([track.at(time) for track in lost]))
    chosen = match_boxes(wide, grow(np.array(boxes)), 0.2).tolist()
    return {index: track for track, index in zip(lost, chosen, strict=True) if index >= 0}


def grow(boxes: NDArray) -> NDArray[np.float32]:
    """Return boxes (N, 4) enlarged about their centres."""
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) * NEAR / 2
    return np.concatenate((centre - half, centre + half), 1).astype(np.float32)


class CutFinder:
    """Finds cuts: a frame that differs from the one before nearly everywhere."""

    def __init__(self) -> None:
        self.last: NDArray[np.float32] | None = None

    def __call__(self, image: NDArray[np.uint8]) -> bool:
        """Whether a scene begins with this frame."""
        small = cv2.resize(image, (CUT_SIDE_PX, CUT_SIDE_PX), interpolation=cv2.INTER_AREA)
        new = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
        last, self.last = self.last, new
        if last is None or abs(new - last).mean() < CUT_DIFFERENCE:
            return False
        spread = float(new.std() * last.std())
        correlation = float(((new - new.mean()) * (last - last.mean())).mean()) / spread if spread > 1 else 0.0
        return correlation < CUT_CORRELATION
