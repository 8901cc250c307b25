"""Refinement: crop again around the landmarks until the crop hardly moves, then keep each face once."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError
from ..faces import Faces
from ..geometry import overlaps, tight_box
from ..markups import Markup
from .detectors.base import suppress

log = logging.getLogger(__name__)
PASSES = 2  # of a detected face; docs/predict.md has the measurement
MAX_PASSES = 3
STILL = 0.93  # the least overlap of the old and the new box of a crop that does not move again
SAME_FACE = 0.5  # two detected boxes that overlap by more are one face
MIN_SCORE = 0.1  # of a detected face, where the network is calibrated; docs/predict.md has the measurement
FULL_FITS = 0.75  # the least overlap of the picture and the landmarks' box for a face that fills the picture


@dataclass
class Candidate:
    """A box in a picture, and what the network predicts there.

    `detection_score` is that of the detector, None for a box that the user gave. `passes` is how often the crop may
    move. `full` is whether the box is the full picture.
    """

    faces: Faces
    box: NDArray[np.float32]
    passes: int = 0
    detection_score: float | None = None
    full: bool = False
    prediction: dict[str, Any] = field(default_factory=dict)

    @property
    def next_box(self) -> NDArray[np.float32]:
        """The tight box of the predicted landmarks."""
        return tight_box(np.asarray(self.prediction['landmarks']))

    @property
    def overlap(self) -> float:
        """The overlap of the box and the next one; 1 if the next one has no area, so that the crop stays."""
        box = self.next_box
        return float(overlaps([self.box], [box])[0, 0]) if (box[2:] > box[:2]).all() else 1.0

    @property
    def score(self) -> float:
        """The score of the face: that of the calibration, or the mean score of the landmarks."""
        score = self.prediction.get('score')
        return float(self.prediction['scores'].mean() if score is None else score)


def outlines_face(markup: Markup) -> bool:
    """Whether the tight box of the landmarks is the box of the face: the scheme has the contour of the jaw."""
    return 'contour' in markup.parts


def passes_of(refine: Any, markup: Markup, detected: bool) -> int:
    """Return the number of refinement passes that `refine` means for a detected or a given box."""
    if refine is None:
        return PASSES if detected and outlines_face(markup) else 0
    if isinstance(refine, bool) or not isinstance(refine, (int, np.integer)) or not 0 <= refine <= MAX_PASSES:
        raise FacelmkError(f'refine={refine!r}. Expected a whole number from 0 to {MAX_PASSES}')
    if refine and not outlines_face(markup):
        raise FacelmkError(
            f'refine={refine}: the {markup.size} points of {markup.name!r} do not have the contour of the face, so '
            'their box is not the one that the network was trained with. Expected refine=0'
        )
    return int(refine)


def check_min_score(min_score: Any) -> None:
    """Refuse a least score that no face could have, or that every face has."""
    number = not isinstance(min_score, bool) and isinstance(min_score, (int, float, np.integer, np.floating))
    if min_score is not None and not (number and np.isfinite(min_score)):
        raise FacelmkError(f'min_score={min_score!r}. Expected a number, such as 0.5')


def refine(candidates: Sequence[Candidate], predict: Callable[[Sequence[Candidate]], None]) -> None:
    """Move each crop to the landmarks' box and predict again, until it hardly moves or its passes are used up."""
    moving = list(candidates)
    while moving := [one for one in moving if one.passes > 0 and one.overlap < STILL]:
        for one in moving:
            one.box, one.passes = one.next_box, one.passes - 1
        predict(moving)


def select(candidates: Sequence[Candidate], min_score: float | None) -> list[Candidate]:
    """Return the candidates of one picture that are faces, each face once, in their order.

    A candidate below `min_score` is left out. By default this is decided for detected faces of a calibrated network
    alone: scores of other networks do not separate faces from other things. Of two detected boxes that moved to one
    face, the one with the better detector's score stays.
    """
    faces = [one for one in candidates if is_face(one, min_score)]
    detected = [i for i, one in enumerate(faces) if one.detection_score is not None]
    boxes = np.array([faces[i].next_box for i in detected]).reshape(-1, 4)
    scores = np.array([faces[i].detection_score for i in detected])
    left_out = set(detected) - {detected[i] for i in suppress(boxes, scores, SAME_FACE)}
    return [one for i, one in enumerate(faces) if i not in left_out]


def is_face(candidate: Candidate, min_score: float | None) -> bool:
    """Whether the score of a candidate is high enough."""
    return candidate.score >= _least(candidate, min_score)


def _least(candidate: Candidate, min_score: float | None) -> float:
    calibrated = 'score' in candidate.prediction
    if min_score is not None:
        if calibrated and min_score > 1:
            raise FacelmkError(f'min_score={min_score}, and this network gives scores from 0 to 1. Expected at most 1')
        return min_score
    return MIN_SCORE if candidate.detection_score is not None and calibrated else -np.inf


def warn_if_not_full(candidates: Sequence[Candidate]) -> None:
    """Warn about boxes='full' where the landmarks do not fill the picture: the crop was then too large for the face."""
    for one in candidates:
        if one.full and one.overlap < FULL_FITS:
            source = one.faces.source if isinstance(one.faces.source, str) else 'a picture'
            log.warning(
                f"{source}: boxes='full', but the landmarks' box {one.next_box.tolist()} overlaps the picture by "
                f'{one.overlap:.0%}. The face does not fill the picture, or there is none, so the landmarks may be '
                "wrong. Use boxes='auto', give the box of the face, or add refine=3"
            )
