"""dlib's frontal face detector, a scanned histogram of gradients. Its package is an extra: https://dlib.net."""

from typing import Any

import cv2
import numpy as np

from ...errors import MissingResource
from ...registry import DETECTORS, Range
from .base import BoxRule, Detector, OnePerThread, Picture


@DETECTORS.register_module()
class Dlib(Detector):
    """Finds frontal faces of 80 pixels and more; each step of `enlarge` doubles the picture and halves this size.

    The scores are dlib's margins through a logistic function: 0.5 is dlib's own threshold, and `score` the lowest one.
    """

    box_rule = BoxRule(shift=(0.0, 0.102), factor=(0.955, 0.944))
    ranges = {'score': (0, 1), 'enlarge': Range(0, 4, step=1)}

    def __init__(self, score: float = 0.5, enlarge: int = 0) -> None:
        self.score, self.enlarge = score, enlarge
        self.network = OnePerThread(self._open)
        self.network()

    def _open(self) -> Any:
        try:
            import dlib
        except ImportError as error:
            raise MissingResource(
                f'the detector Dlib needs the package dlib ({error}): pip install dlib, or pip install dlib-bin, which '
                'needs no compiler'
            ) from error
        return dlib.get_frontal_face_detector()

    def find(self, image: Picture) -> np.ndarray:
        share = float(np.clip(self.score, 1e-6, 1 - 1e-6))
        threshold = np.log(share / (1 - share))
        boxes, margins, _ = self.network().run(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), self.enlarge, threshold)
        rows = [
            (b.left(), b.top(), b.right(), b.bottom(), 1 / (1 + np.exp(-m)))
            for b, m in zip(boxes, margins, strict=True)
        ]
        return np.array(rows, np.float64).reshape(-1, 5)
