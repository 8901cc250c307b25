"""PCK: the percentage of correct keypoints."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..registry import METRICS
from .base import ErrorMetric
from .batch import Predictions, error_table
from .bootstrap import Terms
from .errors import Norm
from .rows import Rows

NOT_MEASURED, WRONG, CORRECT = -1, 0, 1


class PointRow(NamedTuple):
    """Whether each point (K,) of a face is correct (1), wrong (0) or not measured (-1), and the face's subsets."""

    id: str
    correct: NDArray[np.int8]
    tags: tuple[str, ...]


@METRICS.register_module()
class PCK(ErrorMetric):
    """The share of points with an error below `threshold`, in per cent.

    It is the mean over the landmarks of the share of each one, as in MMPose's PCKAccuracy(thr=threshold), whose
    norm_item='bbox' is norm='box_side' here. Points that are not visible do not count. The points of a face without a
    detected box are wrong.
    Ranks exchange 16 bytes a face, 1 byte a point and 1 byte a subset.
    """

    direction = 'greater'
    ranges = {'threshold': (0, 10, True)}
    row = PointRow

    def __init__(self, threshold: float = 0.05, norm: Norm = 'box_side', prefix: str | None = None) -> None:
        super().__init__(norm, prefix)
        self.threshold = threshold
        self.name = f'PCK@{threshold:g}'

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> Rows:
        """Return one `PointRow` for each prediction."""
        table = error_table(predictions, truth)
        length = table.lengths(self.norm, self.markup)
        usable = (np.isfinite(length) & (length > 0))[:, None] & table.is_visible
        with np.errstate(invalid='ignore', divide='ignore'):
            is_correct = table.distances / length[:, None] < self.threshold
        correct = np.where(usable, np.where(is_correct, CORRECT, WRONG), NOT_MEASURED).astype(np.int8)
        return Rows(self.row, [(table.faces, (correct,))])

    def packed_values(self) -> list[tuple]:
        return [('correct', 'i1', (self.markup.size,))]

    def is_measured(self, row: Any) -> Any:
        return (row.correct != NOT_MEASURED).any(-1)

    def has_prediction(self, row: Any) -> Any:
        return True  # a row does not say why a point is wrong

    def arrays(self, rows: Sequence[Any]) -> tuple[Any, ...]:
        (points,) = Rows.of(self.row, rows).columns
        return points == CORRECT, points != NOT_MEASURED

    def terms(self, correct: NDArray[Any], measured: NDArray[Any]) -> Terms:
        """Return whether each point (N, K) is correct, and whether it is measured: a share for each landmark."""
        return correct.astype(np.float64), measured.astype(np.float64)
