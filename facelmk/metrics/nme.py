"""The normalised mean error, the usual metric of facial landmarks."""

import numpy as np
from numpy.typing import NDArray

from ..errors import UnknownName, did_you_mean
from ..registry import METRICS
from .base import LEFT_OUT, ErrorMetric, mean_of_predicted
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

    def figure(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> float:
        """Return the mean error as a share of the normaliser."""
        return mean_of_predicted(error, count if self.average == 'point' else None)
