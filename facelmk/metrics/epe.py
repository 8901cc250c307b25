"""The end-point error: the mean distance in pixels, without a normaliser."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..registry import METRICS
from .base import LEFT_OUT, ErrorMetric, predicted_terms
from .batch import Predictions, error_table
from .bootstrap import Terms
from .rows import Rows


@METRICS.register_module()
class EPE(ErrorMetric):
    """Mean distance of all visible points of all faces in pixels of the photograph, as MMPose's EPE."""

    name, unit = 'EPE', 'px'
    without_prediction = LEFT_OUT

    def __init__(self, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.normaliser = 'one pixel of the photograph'

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> Rows:
        """Return one `ErrorRow` for each prediction, with its error in pixels."""
        table = error_table(predictions, truth)
        return Rows(self.row, [(table.faces, (table.errors(None), table.count))])

    def terms(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> Terms:
        """Return the distances of the faces with a prediction, and their numbers of visible points."""
        return predicted_terms(error, count)
