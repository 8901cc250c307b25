"""What is exported: a FaceLandmarker or a FaceDetector with its weights, and what is known about them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpoint import find_checkpoint
from ..errors import FacelmkError
from ..files.digest import sha256_of
from ..inference import Predictor, load
from ..inference.detectors.facelmk_detector import SHIPPED, FacelmkDetector, open_network
from ..inference.load import config_and_weights, weights_of_config
from ..inference.runtime.facts import Facts
from ..models import FaceDetector, FaceLandmarker
from ..models.face_detector import is_face_detector
from ..zoo import DEFAULT
from .facts import card_beside, detector_facts, landmark_facts
from .graph import Graph


@dataclass
class Source:
    """A model, the object that predicts with it in torch, and its weights file (None: untrained)."""

    model: FaceLandmarker | FaceDetector
    predictor: Any
    name: str
    weights: Path | None

    @property
    def multiple(self) -> int | None:
        """The number that the sides of a detector's pictures are multiples of; None: the side of crops is fixed."""
        return self.predictor.network.backbone.multiple if isinstance(self.model, FaceDetector) else None

    def facts(self, graph: Graph) -> Facts:
        """Return what the metadata of the file say."""
        weights = '' if self.weights is None else self.weights.name
        digest, card = ('', '') if self.weights is None else (sha256_of(self.weights), card_beside(self.weights))
        if isinstance(self.model, FaceDetector):
            return detector_facts(self.predictor, graph, self.name, weights, digest, card)
        return landmark_facts(self.model, graph, self.predictor.dataset.pipeline, self.name, weights, digest, card)


def open_model(model: str | None, weights: str | None = None, flip: bool | None = None) -> Source:
    """Return a model of the zoo, of a checkpoint or of a config, on the CPU; without `model` the one of facelmk.

    `flip` replaces the `flip_test` of the config. A detector is given by its checkpoint, or by
    the name `facelmk_detector`.
    """
    if model == SHIPPED.stem and weights is None:
        return _detector(SHIPPED, flip)
    config, own = config_and_weights(model or DEFAULT)
    path = find_checkpoint(weights or own or weights_of_config(config))
    name = Path(re.sub('[?#].*', '', str(model or DEFAULT))).stem
    if is_face_detector(config.model):
        return _detector(path, flip)
    predictor: Predictor = load(model, path if weights is None else weights, 'cpu', flip)
    return Source(predictor.landmarker, predictor, name, path)


def _detector(path: Path, flip: bool | None) -> Source:
    if flip:
        raise FacelmkError(f'--flip: {path.stem} is a detector, which has no flip average. Leave it out')
    # the object that searches has merged its norms into convolutions, whose weights are no longer those of the file
    return Source(open_network(path), FacelmkDetector(path), path.stem, path)
