"""The end-point error: the mean distance in pixels, without a normaliser."""

import numpy as np
from numpy.typing import NDArray

from ..registry import METRICS
from .base import LEFT_OUT, ErrorMetric, ErrorRow, Predictions, column, predicted_terms
from .bootstrap import Terms
from .errors import face_errors


@METRICS.register_module()
class EPE(ErrorMetric):
    """Mean distance of all visible points of all faces in pixels of the photograph, as MMPose's EPE."""

    name, unit = 'EPE', 'px'
    without_prediction = LEFT_OUT

    def __init__(self, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.normaliser = 'one pixel of the photograph'

    def rows(self, predictions: Predictions, truth: dict) -> list[ErrorRow]:
        """Return one `ErrorRow` for each prediction, with its error in pixels."""
        landmarks = np.stack([column(prediction['landmarks']) for prediction in predictions])
        error, count = face_errors(landmarks, truth['landmarks'], truth['visible'], np.ones(len(landmarks)))
        return [
            ErrorRow(prediction['id'], float(e), int(n), tags)
            for prediction, e, n, tags in zip(predictions, error, count, truth['tags'], strict=True)
        ]

    def terms(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> Terms:
        """Return the distances of the faces with a prediction, and their numbers of visible points."""
        return predicted_terms(error, count)
