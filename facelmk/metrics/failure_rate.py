"""The share of faces with a large error."""

import numpy as np
from numpy.typing import NDArray

from ..registry import METRICS
from .base import ErrorMetric
from .bootstrap import Terms
from .errors import Norm


@METRICS.register_module()
class FailureRate(ErrorMetric):
    """The share of faces whose error is above `threshold` (a share of the normaliser), in per cent."""

    ranges = {'threshold': (0, 10)}

    def __init__(self, threshold: float = 0.1, norm: Norm = 'inter_ocular', prefix: str | None = None) -> None:
        super().__init__(norm, prefix)
        self.threshold = threshold
        self.name = f'FR@{threshold:g}'

    def terms(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> Terms:
        """Return whether each error is above the threshold."""
        return (error > self.threshold).astype(np.float64), np.ones(len(error))
