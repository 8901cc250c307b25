"""The boxes of a test: the recall of a detector, and the error in its boxes compared with that in tight boxes."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.bootstrap import Interval, groups_of, interval, mean_intervals, resampled_sums, weighted_mean
from .collect import Array, Results
from .detail import face_weights, finite_or_none
from .tables import INTERVAL, Row, Table, range_text

NONE = (math.nan, math.nan)


@dataclass
class BoxStudy:
    """The error in the boxes of a test and in tight boxes, on the faces that have a box; the others apart.

    `boxes` says where the boxes come from. Errors and recall are in per cent; each value is (number, its interval).
    """

    boxes: str
    normaliser: str
    faces: int
    undetected: int
    recall: tuple[float, Interval]
    error: tuple[float, Interval]
    tight_error: tuple[float, Interval]
    ratio: tuple[float, Interval]
    undetected_tight_error: tuple[float, Interval]

    key = 'boxes'
    title = 'Boxes'

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers for json."""
        names = {
            'recall': self.recall,
            'nme_detected': self.error,
            'nme_detected_tight_box': self.tight_error,
            'ratio_to_tight_box': self.ratio,
            'nme_undetected_tight_box': self.undetected_tight_error,
        }
        values = {name: finite_or_none(value) for name, (value, _) in names.items()}
        limits = {name: [finite_or_none(v) for v in pair] for name, (_, pair) in names.items()}
        counts = {'boxes': self.boxes, 'faces': self.faces, 'undetected': self.undetected}
        return counts | values | {'intervals': limits}

    def table(self) -> Table:
        """Return the table."""
        rows = [
            _row('faces with a box, in %', self.recall),
            _row('NME of these faces in their boxes', self.error),
            _row('NME of the same faces in tight boxes', self.tight_error),
            _row('ratio', self.ratio, digits=3),
        ]
        if self.undetected:
            rows.append(_row(f'NME of the {self.undetected} other faces in tight boxes', self.undetected_tight_error))
        note = f'{self.boxes}. Errors in per cent of {self.normaliser}.'
        return Table(['value', INTERVAL], {f'boxes of {self.faces} faces': rows}, note)

    def text(self) -> str:
        """Return the table for a terminal."""
        return self.table().text()

    def html(self) -> str:
        """Return the table for a page."""
        return self.table().html()

    def draw(self, folder: Path) -> None:
        """Draw nothing."""


def box_study(results: Results, tight_landmarks: Array, boxes: str) -> BoxStudy:
    """Return the study of a test, and of the landmarks (N, K, 2) of its faces in tight boxes."""
    rows = results.rows_of(results.headline)
    detected = results.is_detected[rows]
    errors = np.stack([results.error[rows], results.errors_of(tight_landmarks)[rows]], -1)
    groups, weights = results.groups[rows], face_weights(results)[rows]
    used = detected & np.isfinite(errors).all(-1)
    recall = 100.0 * detected, np.ones(len(rows))
    limits = mean_intervals({'recall': recall}, groups_of(groups))
    pair = [_mean(100 * errors[used, i], weights[used], groups[used]) for i in (0, 1)]
    missed = ~detected & np.isfinite(errors[:, 1])
    return BoxStudy(
        boxes=boxes,
        normaliser=results.normaliser,
        faces=len(rows),
        undetected=int((~detected).sum()),
        recall=(weighted_mean(*recall), limits['recall']),
        error=pair[0],
        tight_error=pair[1],
        ratio=_ratio(errors[used] * weights[used, None], groups[used]),
        undetected_tight_error=_mean(100 * errors[missed, 1], weights[missed], groups[missed]),
    )


def _mean(values: Array, weights: Array, groups: NDArray[np.int64]) -> tuple[float, Interval]:
    if not len(values):
        return math.nan, NONE
    return weighted_mean(values, weights), mean_intervals({'': (values, weights)}, groups_of(groups))['']


def _ratio(sums: Array, groups: NDArray[np.int64]) -> tuple[float, Interval]:
    """Return the ratio of the sums of two columns (N, 2), with both drawn together."""
    total = sums.sum(0)
    if not total.all():
        return math.nan, NONE
    if len(np.unique(groups)) < 2:
        return float(total[0] / total[1]), NONE
    resampled = resampled_sums(sums, groups_of(groups))
    return float(total[0] / total[1]), interval(resampled[:, 0] / resampled[:, 1])


def _row(name: str, value: tuple[float, Interval], digits: int = 2) -> Row:
    return Row(name, [value[0], range_text(value[1], digits)], digits)
