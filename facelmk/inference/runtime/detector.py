"""Find faces with an exported detector. Its graph gives a box and a score for each cell; this file chooses."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..detectors.base import Boxes, BoxRule, Detector, Picture, Scores, suppress
from ..detectors.pyramid import search
from .facts import SceneRule
from .session import Session, check_kind

SHIPPED_DETECTOR = 'facelmk_detector'


class ExportedDetector(Detector):
    """The detector in an exported file, as `FacelmkDetector` is one in torch."""

    def __init__(self, source: str | Path | bytes, threads: int | None = None) -> None:
        self.session = Session(source, threads)
        check_kind(self.session, 'boxes')
        assert self.session.facts.scene is not None  # `read_facts` refuses other files
        self.rule = self.session.facts.scene
        self.box_rule = BoxRule(self.rule.shift, self.rule.factor)

    def find(self, image: Picture) -> tuple[Boxes, Scores]:
        rule = self.rule
        return search(image, rule.sizes, rule.multiple, self._find_once, rule.score, rule.overlap)

    def _find_once(self, scene: Picture) -> tuple[Boxes, Scores]:
        outputs = self.session.run(np.ascontiguousarray(scene.transpose(2, 0, 1)[None]))
        return choose(outputs['boxes'][0], outputs['scores'][0], self.rule)


def choose(boxes: NDArray[np.float32], scores: NDArray[np.float32], rule: SceneRule) -> tuple[Boxes, Scores]:
    """Return the boxes (M, 4) and scores (M,) of faces among all cells (N,), as `BoxMaps.decode` chooses them."""
    candidates = np.flatnonzero(scores >= rule.least_score)
    best = candidates[np.argsort(-scores[candidates], kind='stable')][: 4 * rule.most_boxes]
    chosen = best[suppress(boxes[best], scores[best], rule.most_overlap)][: rule.most_boxes]
    return boxes[chosen], scores[chosen]
