"""The full picture as the box of one face."""

import numpy as np

from ...registry import DETECTORS
from .base import Detector, Picture


@DETECTORS.register_module(name='full')
class Full(Detector):
    """Returns one box around all of a picture, for pictures that one face fills."""

    def find(self, image: Picture) -> np.ndarray:
        height, width = image.shape[:2]
        return np.array([[0, 0, width, height]], np.float32)
