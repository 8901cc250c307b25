"""Confidence intervals by the bootstrap: draw the faces again and again, and measure how much the value changes.

A resample has as many groups as the data, drawn with replacement. A group is one picture: its faces share light, camera
and annotator, so they are drawn together (https://doi.org/10.1214/aos/1176344552 is the bootstrap of single values).
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Terms = tuple[Array, Array]  # values and weights, (N,) or (N, P): a value is their weighted mean
Interval = tuple[float, float]

RESAMPLES, LEVEL, SEED = 2000, 0.95, 0
MAX_DRAWS = 200_000  # in memory at once: few enough to stay in the cache


def groups_of(pictures: ArrayLike) -> NDArray[np.int64]:
    """Return the number (N,) of each face's group: faces with the same picture are one."""
    return np.unique(np.asarray(pictures), return_inverse=True)[1].reshape(-1)


def draw_counts(groups: int, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[Array]:
    """Yield how often each group is in each resample, (R, groups), in parts that fit into memory."""
    rng = np.random.default_rng(seed)
    rows = max(1, MAX_DRAWS // groups)
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        drawn = rng.integers(groups, size=(count, groups)) + groups * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * groups).reshape(count, groups).astype(np.float64)


def resampled_sums(values: ArrayLike, groups: NDArray[np.int64], **options: int) -> Array:
    """Return the sum of the columns of values (N, M) in each resample, (R, M)."""
    values = np.asarray(values, np.float64)
    number = int(groups.max()) + 1
    sums = np.zeros((number, values.shape[1]))
    np.add.at(sums, groups, values)
    return np.concatenate([counts @ sums for counts in draw_counts(number, **options)])


def weighted_mean(values: Array, weights: Array) -> float:
    """Return the weighted mean of values (N,); of (N, P), the mean over the columns that have a weight."""
    return float(_means(*(np.reshape(part, (len(values), -1)).sum(0) for part in (values * weights, weights))))


def _means(sums: Array, weights: Array) -> Array:
    """Return the mean over P of the ratios of sums (..., P) and weights (..., P); NaN without any weight."""
    known = weights > 0
    ratios = np.where(known, sums / np.where(known, weights, 1.0), 0.0)
    with np.errstate(invalid='ignore'):
        return ratios.sum(-1) / known.sum(-1)


def interval(resampled: ArrayLike, level: float = LEVEL) -> Interval:
    """Return the range that holds the middle `level` of resampled values (R,), leaving out those that are NaN."""
    values = np.asarray(resampled, np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return np.nan, np.nan
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], method='nearest')  # exact for infinite ones
    return float(low), float(high)


def mean_intervals(terms: Mapping[str, Terms], groups: NDArray[np.int64], **options: int) -> dict[str, Interval]:
    """Return the interval of each weighted mean; all of them use the same resamples."""
    if not terms or not len(groups) or groups.max() < 1:  # one picture says nothing about others
        return dict.fromkeys(terms, (np.nan, np.nan))
    parts = [np.reshape(part, (len(groups), -1)) for v, w in terms.values() for part in (v * w, w)]
    sums = resampled_sums(np.concatenate(parts, 1), groups, **options)
    columns = np.split(sums, np.cumsum([part.shape[1] for part in parts])[:-1], 1)
    means = (_means(*pair) for pair in zip(columns[::2], columns[1::2], strict=True))
    return {name: interval(mean) for name, mean in zip(terms, means, strict=True)}


def quantile_intervals(
    error: Array, shares: Mapping[str, float], groups: NDArray[np.int64], **options: int
) -> dict[str, Interval]:
    """Return the interval of each quantile of errors (N,), which may be infinite."""
    if not len(groups) or groups.max() < 1:
        return dict.fromkeys(shares, (np.nan, np.nan))
    order = np.argsort(error, kind='stable')
    errors, groups_in_order = error[order], groups[order]
    resampled: dict[str, list[Array]] = {name: [] for name in shares}
    for counts in draw_counts(int(groups.max()) + 1, **options):
        below = counts[:, groups_in_order].cumsum(1)  # the number of faces with at most this error
        for name, share in shares.items():
            resampled[name].append(errors[(below < share * below[:, -1:]).sum(1)])
    return {name: interval(np.concatenate(parts)) for name, parts in resampled.items()}


def figure_interval(
    figure: Callable[[NDArray[np.int64]], float], groups: NDArray[np.int64], **options: int
) -> Interval:
    """Return the interval of any value, a function of the rows (N,) of the faces; slower than a mean."""
    if not len(groups) or groups.max() < 1:
        return np.nan, np.nan
    rows = np.arange(len(groups))
    parts = draw_counts(int(groups.max()) + 1, **options)
    return interval([figure(np.repeat(rows, count[groups].astype(int))) for counts in parts for count in counts])
