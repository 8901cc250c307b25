"""The normalised mean error, the usual metric of facial landmarks."""

import numpy as np
from numpy.typing import NDArray

from ..errors import UnknownName, did_you_mean
from ..registry import METRICS
from .base import LEFT_OUT, ErrorMetric, predicted_terms
from .bootstrap import Terms
from .errors import Norm


@METRICS.register_module()
class NME(ErrorMetric):
    """Mean distance over a normaliser, in per cent.

    `average='point'` is the mean over all visible points of all faces, as in MMPose; `average='face'` is the mean of
    the faces' errors, as in the original HRNet. Both are equal if every point of every face is visible.
    """

    name = 'NME'
    without_prediction = LEFT_OUT

    def __init__(self, norm: Norm = 'inter_ocular', average: str = 'point', prefix: str | None = None) -> None:
        super().__init__(norm, prefix)
        if average not in ('face', 'point'):
            raise UnknownName(f'NME.average={average!r}. {did_you_mean(average, ("face", "point"))}')
        self.average = average

    def terms(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> Terms:
        """Return the errors of the faces with a prediction, and their weights."""
        return predicted_terms(error, count if self.average == 'point' else None)
