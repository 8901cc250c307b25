"""Base classes of the metrics: they merge the rows of all ranks by face, and compute values for all subsets."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from numpy.typing import NDArray

from ..errors import FacelmkError
from ..markups import MARKUPS, Markup
from ..registry import Ranges
from .batch import Predictions, batch_of, error_table
from .bootstrap import Interval, Terms, figure_interval, mean_intervals, weighted_mean
from .errors import Norm, check_ends, check_norm, describe
from .merging import Share, check_count, check_missing, check_sizes, duplicate_ids, gather, merge, name_some
from .once import once
from .rows import Rows, digest, merged, pack, unpack

Value = TypeVar('Value')
LEFT_OUT = 'are left out of the mean. Read it together with FailureRate or AUC, which count them'


class FaceMetric(BaseMetric):
    """Values over faces, for the whole set and for each of its subsets.

    A row is a tuple that begins with the face's id and ends with its tags. `evaluate` gathers the rows of all ranks
    and merges them by id, so that neither the number of ranks nor the sampler's padding changes a value. A face that
    is missing, or measured twice without padding, is an error on every rank, so that no rank waits for another.
    `name`, `unit`, `direction` ('less' or 'greater' is better) and `normaliser` describe the metric.
    """

    default_prefix = ''
    key: Callable[[Any], Any] = staticmethod(lambda name: name)  # what replaces an id in packed rows
    name: str
    ranges: Ranges = {}
    unit = '%'
    direction = 'less'
    normaliser = ''

    def __init__(self, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.missing: list[str] = []  # samples without a prediction

    @property
    def markup(self) -> Markup:
        """The landmark scheme of the data set."""
        if not self.dataset_meta or 'markup' not in self.dataset_meta:
            raise FacelmkError(
                f"{type(self).__name__}.dataset_meta has no 'markup'. Set it to a landmark scheme, for example "
                "{'markup': 'wflw'}; a Runner takes it from the data set"
            )
        return MARKUPS[self.dataset_meta['markup']]

    def process(self, data_batch: dict[str, Any], data_samples: Predictions) -> None:
        """Keep one row for each prediction of a batch."""
        batch = batch_of(data_batch['data_samples'], data_samples)
        self.missing += batch.missing
        self.results.extend(self.rows(batch.predictions, batch.columns) if batch.predictions else ())

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> Sequence[Any]:
        """Return one row (id, ..., tags) for each prediction; `truth` has columns in the same order."""
        raise TypeError(f'{type(self).__name__} must define `rows`')

    def figures(self, rows: Sequence[Any]) -> dict[str, float]:
        """Return the values of some rows, by name."""
        raise TypeError(f'{type(self).__name__} must define `figures`')

    def evaluate(self, size: int) -> dict[str, float]:
        """Return the values of all faces of all ranks; they are the same on every rank."""
        results, missing = self.results[:], list(self.missing)
        self.results.clear()
        self.missing.clear()
        return self.with_prefix(self.compute_metrics(self._merge_ranks(results, missing, size)))

    def with_prefix(self, values: dict[str, Value]) -> dict[str, Value]:
        """Return values with the metric's prefix before each key."""
        return {f'{self.prefix}/{key}' if self.prefix else key: value for key, value in values.items()}

    def _merge_ranks(self, results: Sequence[Any], missing: list[str], size: int) -> Sequence[Any]:
        """Return the rows of all ranks, each face once."""
        shares = [Share(*share) for share in gather(Share(self.pack(results), missing, size))]
        check_sizes([share.size for share in shares])
        check_missing([share.missing for share in shares])
        rows_by_rank = [self.unpack(share.rows) for share in shares]
        if duplicates := _duplicates(size, *map(ids_of, rows_by_rank)):
            names = {name for name in ids_of(results) if self.key(name) in duplicates}
            raise FacelmkError(
                f'measured twice: {name_some(set().union(*gather(names)))}. Every face needs its own id, and a '
                'sampler may repeat a face only to give all ranks the same number. Use FaceSampler'
            )
        rows = self.merge(rows_by_rank)
        check_count(len(rows), size, [len(rows) for rows in rows_by_rank])
        return rows

    def pack(self, rows: Sequence[Any]) -> Any:
        """Return rows in the form that is sent to the other ranks."""
        return rows

    def unpack(self, packed: Any) -> Sequence[Any]:
        """Return the rows of a `pack`."""
        return packed

    def merge(self, rows_by_rank: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """Return the rows of all ranks, each face once, in the order of ids."""
        return merge(rows_by_rank)

    def compute_metrics(self, results: Sequence[Any]) -> dict[str, float]:
        """Return the values of the whole set, or of its headline subset, then of each subset that has a face."""
        meta = self.dataset_meta or {}
        values = dict(self.figures(tagged(results, meta.get('headline'))))
        for subset in meta.get('subsets', ()):
            if len(rows := tagged(results, subset)):
                values |= {f'{key}/{subset}': value for key, value in self.figures(rows).items()}
        return values


class ErrorRow(NamedTuple):
    """The error of a face as a share of the normaliser, its number of visible points, and its subsets."""

    id: str
    error: float
    points: int
    tags: tuple[str, ...]


class ErrorMetric(FaceMetric):
    """A metric of the faces' normalised errors.

    `norm`: 'inter_ocular' | 'inter_pupil' | 'box_side' | 'box_geo' | 'box_diagonal' | 'file' | (i, j), two points.
    Only visible points count. Faces without a normaliser are left out, and the log gives their number. A face without
    a detected box (`bbox_file`), or without finite landmarks, has an infinite error.
    Ranks exchange 28 bytes a face and 1 byte a subset: 16 for the id, 8 for the error, 4 for the number of points.
    """

    row: Any = ErrorRow
    without_prediction = 'count as failures'

    key = staticmethod(lambda name: digest(name).hex())

    def __init__(self, norm: Norm = 'inter_ocular', prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.results: Any = Rows(self.row)
        self.norm = check_norm(norm)
        self.normaliser = describe(self.norm)

    def check_markup(self, markup: Markup) -> None:
        """Refuse a normaliser whose end points the landmark scheme does not have."""
        check_ends(self.norm, markup)

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> Sequence[Any]:
        """Return one `ErrorRow` for each prediction."""
        table = error_table(predictions, truth)
        return Rows(self.row, [(table.faces, (table.errors(self.norm, self.markup), table.count))])

    def _layout(self) -> tuple[list[str], np.dtype]:
        """Return the subsets with values of their own, and the dtype of a packed row."""
        meta = self.dataset_meta or {}
        tags = sorted({*meta.get('subsets', ()), meta.get('headline')} - {None})
        return tags, np.dtype([('key', 'V16'), *self.packed_values(), ('tags', '?', (len(tags),))])

    def packed_values(self) -> list[tuple]:
        """Return NumPy's types of a row's values between id and tags."""
        return [('error', '<f8'), ('points', '<i4')]

    def pack(self, rows: Sequence[Any]) -> bytes:
        """Return rows as bytes."""
        tags, layout = self._layout()
        return pack(Rows.of(self.row, rows), layout, tags)

    def unpack(self, packed: bytes) -> Sequence[Any]:
        """Return rows whose id is the digest of the face's id."""
        tags, layout = self._layout()
        return unpack(self.row, packed, layout, tags)

    def merge(self, rows_by_rank: Sequence[Sequence[Any]]) -> Sequence[Any]:
        return merged([Rows.of(self.row, rows) for rows in rows_by_rank])

    def is_measured(self, row: Any) -> Any:
        """Return whether a row, or each of several `Rows`, has an error."""
        return ~np.isnan(row.error)

    def has_prediction(self, row: Any) -> Any:
        """Return whether the error of a row, or of each of several `Rows`, is finite."""
        return ~np.isinf(row.error)

    def compute_metrics(self, results: Sequence[Any]) -> dict[str, float]:
        """Return the values of the faces that have an error."""
        results = Rows.of(self.row, results)
        rows = results[self.is_measured(results)]
        if len(rows) < len(results):
            print_log(
                f'{self.name}: {len(results) - len(rows)} of {len(results)} faces are left out: they have no visible '
                f'point, or {self.normaliser} is 0 or missing',
                logger='current',
            )
        if lost := int(np.sum(~np.broadcast_to(self.has_prediction(rows), len(rows)))):
            print_log(
                f'{self.name}: {lost} of {len(results)} faces have no prediction, for want of a detected box or of '
                f'finite landmarks. They {self.without_prediction}',
                logger='current',
            )
        return super().compute_metrics(rows)

    def figures(self, rows: Sequence[Any]) -> dict[str, float]:
        """Return `figure`, in per cent if that is the unit; NaN without faces."""
        if not len(rows):
            return {self.name: math.nan}
        return {self.name: (100.0 if self.unit == '%' else 1.0) * self.figure(*self.arrays(rows))}

    def interval(self, rows: Sequence[Any], groups: NDArray[np.int64]) -> Interval:
        """Return the 95 % interval of the value of rows with an error; faces of one group (N,) are drawn together."""
        arrays, scale = self.arrays(rows), 100.0 if self.unit == '%' else 1.0
        if any(len(part) != len(rows) for part in arrays):
            return math.nan, math.nan  # a metric whose arrays are sums
        if type(self).figure is ErrorMetric.figure:
            low, high = mean_intervals({'': self.terms(*arrays)}, groups)['']
        else:  # a value of its own, which need not be a mean
            low, high = figure_interval(lambda chosen: self.figure(*(part[chosen] for part in arrays)), groups)
        return scale * low, scale * high

    def arrays(self, rows: Sequence[Any]) -> tuple[Any, ...]:
        """Return the values of rows as arrays with N rows, the arguments of `terms` and `figure`."""
        return Rows.of(self.row, rows).columns

    def figure(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> float:
        """Return the value, as a share, from the faces' errors (N,) and numbers of visible points (N,)."""
        return weighted_mean(*self.terms(error, count))

    def terms(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> Terms:
        """Return values and weights, (N,) each; `figure` is their weighted mean.

        Of values (N, P) it is the mean of the P columns. A metric that is no mean defines `figure` instead.
        """
        raise TypeError(f'{type(self).__name__} must define `terms` or `figure`')


@once
def _duplicates(size: int, *ids_by_rank: list[Any]) -> set[Any]:
    return duplicate_ids(ids_by_rank, size)


def ids_of(rows: Sequence[Any]) -> list[Any]:
    """Return the ids of rows."""
    return rows.ids if isinstance(rows, Rows) else [row[0] for row in rows]


def tagged(rows: Sequence[Any], tag: str | None) -> Sequence[Any]:
    """Return the rows with a tag; all rows if it is None."""
    if tag is None:
        return rows
    return rows[rows.tagged(tag)] if isinstance(rows, Rows) else [row for row in rows if tag in row[-1]]


def predicted_terms(error: NDArray[np.float64], count: NDArray[np.int64] | None) -> Terms:
    """Return the terms of the mean of the finite errors, weighted by `count` if it is given."""
    finite = np.isfinite(error)
    return np.where(finite, error, 0.0), finite * (1.0 if count is None else count)
