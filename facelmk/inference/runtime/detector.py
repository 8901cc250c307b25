"""Find faces with an exported detector. Its graph gives a box and a score for each cell; this file chooses."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ... import geometry
from ..detectors.base import Boxes, BoxRule, Detector, Picture, Scores, suppress
from .facts import SceneRule
from .session import Session, check_kind

SHIPPED_DETECTOR = 'facelmk_detector'


class ExportedDetector(Detector):
    """The detector in an exported file; see `Detector` for the call."""

    def __init__(self, source: str | Path | bytes, threads: int | None = None) -> None:
        self.session = Session(source, threads)
        check_kind(self.session, 'boxes')
        assert self.session.facts.scene is not None  # `read_facts` refuses other files
        self.rule = self.session.facts.scene
        self.box_rule = BoxRule(self.rule.shift, self.rule.factor)

    def find(self, image: Picture) -> tuple[Boxes, Scores]:
        scene, warp = fit_scene(image, self.rule)
        outputs = self.session.run(np.ascontiguousarray(scene.transpose(2, 0, 1)[None]))
        boxes, scores = choose(outputs['boxes'][0], outputs['scores'][0], self.rule)
        return geometry.apply(geometry.invert(warp), boxes.reshape(-1, 2, 2)).reshape(-1, 4), scores


def fit_scene(image: Picture, rule: SceneRule) -> tuple[Picture, geometry.Matrix]:
    """Return a picture of at most `longest` pixels, black beside it, and the matrix from the photograph to it."""
    height, width = image.shape[:2]
    scale = min(1.0, rule.longest / max(height, width))
    sides = [max(1, round(side * scale)) for side in (width, height)]
    if scale < 1:
        image = np.asarray(cv2.resize(image, sides, interpolation=cv2.INTER_AREA), np.uint8)
    x, y = sides[0] / width, sides[1] / height
    warp = geometry.shift((x - 1) / 2, (y - 1) / 2) @ geometry.scale(x, y)  # the centre of the first pixel is 0
    right, below = (-side % rule.multiple for side in sides)
    return np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT), np.uint8), warp


def choose(boxes: NDArray[np.float32], scores: NDArray[np.float32], rule: SceneRule) -> tuple[Boxes, Scores]:
    """Return the boxes (M, 4) and scores (M,) of faces among all cells (N,), the best first; others have score 0."""
    candidates = np.flatnonzero(scores >= rule.least_score)
    best = candidates[np.argsort(-scores[candidates], kind='stable')][: 4 * rule.most_boxes]
    chosen = best[suppress(boxes[best], scores[best], rule.most_overlap)][: rule.most_boxes]
    return boxes[chosen], scores[chosen]
