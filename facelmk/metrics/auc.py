"""The area under the cumulative error distribution."""

import numpy as np
from numpy.typing import NDArray

from ..registry import METRICS
from .base import ErrorMetric
from .bootstrap import Terms
from .errors import Norm


@METRICS.register_module()
class AUC(ErrorMetric):
    """The area under the curve 'share of faces with at most this error' up to `threshold`, in per cent.

    The curve is a step function; a face of error e adds max(0, threshold - e) to the area, so no grid is needed.
    """

    direction = 'greater'
    ranges = {'threshold': (0.0001, 10)}

    def __init__(self, threshold: float = 0.1, norm: Norm = 'inter_ocular', prefix: str | None = None) -> None:
        super().__init__(norm, prefix)
        self.threshold = threshold
        self.name = f'AUC@{threshold:g}'

    def terms(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> Terms:
        """Return the area that each face adds, as a share of threshold x 1."""
        return np.maximum(0.0, 1.0 - error / self.threshold), np.ones(len(error))
