"""The normalised mean error, the figure of every landmark table."""

import numpy as np
from numpy.typing import NDArray

from ..errors import UnknownName, did_you_mean
from ..registry import METRICS
from .base import ErrorMetric
from .errors import Norm


@METRICS.register_module()
class NME(ErrorMetric):
    """Mean distance over a normaliser, in per cent.

    `average='point'` is the mean over all visible points of all faces, as MMPose has it; `average='face'` the mean of
    the faces' errors, as the original HRNet has it. They are the same where every face has all its points.
    """

    name = 'NME'

    def __init__(self, norm: Norm = 'inter_ocular', average: str = 'point', prefix: str | None = None) -> None:
        super().__init__(norm, prefix)
        if average not in ('face', 'point'):
            raise UnknownName(f'NME: average={average!r}. {did_you_mean(average, ("face", "point"))}')
        self.average = average

    def figure(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> float:
        """The mean error as a share of the normaliser."""
        return float(np.average(error, weights=count if self.average == 'point' else None))
