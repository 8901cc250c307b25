"""How well expected errors and scores agree with measured errors."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BINS = 10


class Bin(NamedTuple):
    """The number of values in a bin, the mean of what was expected, and the mean of what was measured."""

    number: int
    expected: float
    measured: float


def reliability(expected: Array, measured: Array, bins: int = BINS) -> list[Bin]:
    """Return bins of equally many values (N,), in the order of what was expected."""
    parts = np.array_split(np.argsort(expected, kind='stable'), min(bins, len(expected)))
    return [Bin(len(part), float(expected[part].mean()), float(measured[part].mean())) for part in parts]


def calibration_error(rows: Sequence[Bin]) -> float:
    """Return the mean distance of what was expected from what was measured, over bins by their number of values."""
    return sum(row.number * abs(row.expected - row.measured) for row in rows) / max(sum(row.number for row in rows), 1)


def found_failures(score: Array, error: Array, threshold: float, share: float = 0.25) -> tuple[int, int]:
    """Return two counts of errors (N,) above a threshold: among the faces with the lowest scores, and in all.

    `share` is the share of the faces that counts as those with the lowest scores, rounded down.
    """
    lowest = np.argsort(score, kind='stable')[: int(share * len(score))]
    return int((error[lowest] > threshold).sum()), int((error > threshold).sum())
