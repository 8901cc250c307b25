"""More values of a test: percentiles, other normalisers, regions and landmarks, from one table of distances."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError
from ..markups import Markup
from ..metrics import NME, errors
from ..metrics.bootstrap import Interval, Terms, groups_of, mean_intervals, quantile_intervals, weighted_mean
from .collect import Array, Results
from .tables import Row

PERCENTILES = {'p50': 0.5, 'p90': 0.9, 'p95': 0.95, 'p99': 0.99}
REGION_OF_PART = {
    'contour': 'jaw',
    'chin': 'jaw',
    'left_brow': 'brows',
    'right_brow': 'brows',
    'left_eye': 'eyes',
    'right_eye': 'eyes',
    'pupils': 'eyes',
    'outer_lips': 'mouth',
    'inner_lips': 'mouth',
    'lips': 'mouth',
}
LANDMARKS_A_LINE = 10


@dataclass
class Block:
    """Values in per cent and their 95 % intervals, by keys such as 'jaw' and 'jaw/pose'."""

    title: str
    values: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the values and intervals for json."""
        values = {name: finite_or_none(value) for name, value in self.values.items()}
        return {
            'values': values,
            'intervals': {name: [*map(finite_or_none, pair)] for name, pair in self.intervals.items()},
        }


def finite_or_none(value: float) -> float | None:
    """Return a number for json, which has no infinite ones."""
    return value if math.isfinite(value) else None


def regions(markup: Markup) -> dict[str, list[int]]:
    """Return the points of jaw, brows, nose, eyes and mouth; a part of another name is a region of its own."""
    points: dict[str, list[int]] = {}
    for part, group in markup.parts.items():
        points.setdefault(REGION_OF_PART.get(part, part), []).extend(group)
    return points


def details(results: Results) -> dict[str, Block]:
    """Return the blocks 'percentile', 'region' and 'normaliser'."""
    distance = errors.point_distances(results.landmarks, results.truth)
    everywhere = np.ones(results.markup.size, bool)
    by_region = {
        name: _face_terms(results, distance, np.isin(np.arange(results.markup.size), group), results.length)
        for name, group in regions(results.markup).items()
    }
    by_norm = {
        name: _face_terms(results, distance, everywhere, length) for name, length in normalisers(results).items()
    }
    return {
        'percentile': _percentiles(results),
        'region': _means(results, 'NME by region', by_region),
        'normaliser': _means(results, 'NME by normaliser', by_norm),
    }


def normalisers(results: Results) -> dict[str, Array]:
    """Return the lengths (N,) of each normaliser that this data set has."""
    lengths: dict[str, Array] = {}
    for norm in errors.NORMS:
        try:
            length = errors.normaliser(norm, results.markup, results.truth, results.box, results.norm, results.visible)
        except FacelmkError:  # the landmark scheme has no such points
            continue
        if (np.isfinite(length) & (length > 0)).any():
            lengths[norm] = length
    return lengths


def _face_terms(results: Results, distance: Array, points: NDArray[np.bool_], length: Array) -> Terms:
    """Return each face's mean distance (N,) of some points (K,) over a length (N,), and its weight in the NME."""
    used = (results.visible > 0) & points
    count = used.sum(-1)
    usable = (count > 0) & np.isfinite(length) & (length > 0)
    mean = np.where(used, distance, 0.0).sum(-1) / np.maximum(count, 1) / np.where(usable, length, 1.0)
    usable &= np.isfinite(mean)
    return np.where(usable, mean, 0.0), usable * (count if is_mean_of_points(results) else 1.0)


def is_mean_of_points(results: Results) -> bool:
    """Whether the test's NME is the mean over points, not over faces."""
    return next((metric.average for metric in results.metrics if isinstance(metric, NME)), 'point') == 'point'


def face_weights(results: Results) -> Array:
    """Return the weight (N,) of each face in the NME of the test."""
    return (results.visible > 0).sum(-1).astype(np.float64) if is_mean_of_points(results) else np.ones(len(results))


def _columns(results: Results) -> dict[str, NDArray[np.int64]]:
    """Return the measured faces of each column by the end of its keys: '' is the whole set or its headline."""
    subsets = {'': results.headline} | {f'/{subset}': subset for subset in results.subsets}
    return {end: rows for end, subset in subsets.items() if len(rows := results.rows_of(subset))}


def _means(results: Results, title: str, terms: Mapping[str, Terms]) -> Block:
    block = Block(title)
    for end, rows in _columns(results).items():
        chosen = {name: (100 * values[rows], weights[rows]) for name, (values, weights) in terms.items()}
        chosen = {name: term for name, term in chosen.items() if term[1].any()}
        block.values |= {name + end: weighted_mean(*term) for name, term in chosen.items()}
        limits = mean_intervals(chosen, groups_of(results.groups[rows]))
        block.intervals |= {name + end: pair for name, pair in limits.items()}
    return block


def _percentiles(results: Results) -> Block:
    """Return percentiles of the faces' errors, which are infinite for faces without a prediction."""
    block = Block("percentiles of the faces' errors")
    for end, rows in _columns(results).items():
        error = 100 * results.error[rows]
        values = np.quantile(error, list(PERCENTILES.values()), method='inverted_cdf')
        block.values |= {name + end: float(value) for name, value in zip(PERCENTILES, values, strict=True)}
        limits = quantile_intervals(error, PERCENTILES, groups_of(results.groups[rows]))
        block.intervals |= {name + end: pair for name, pair in limits.items()}
    return block


def landmark_lines(error: Sequence[float], normaliser: str) -> list[str]:
    """Return the error (K,) of each landmark, a share, as lines of ten in per cent."""
    lines = [f'NME of each landmark, in per cent of {normaliser}']
    for start in range(0, len(error), LANDMARKS_A_LINE):
        row = Row(f'{start:5d}', [100 * value for value in error[start : start + LANDMARKS_A_LINE]])
        if any(cell != '–' for cell in row.cells()):
            lines.append('  '.join([row.name, *(cell.rjust(6) for cell in row.cells())]))
    return lines
