"""Collect the prediction of every face during a test, from all ranks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from mmengine.dist import get_rank, get_world_size
from mmengine.runner import Runner
from numpy.typing import NDArray

from ..errors import DataDefect
from ..markups import Markup
from ..metrics import NME, ErrorMetric, FaceMetric, errors
from ..metrics.batch import Predictions, column
from ..metrics.bootstrap import Interval, groups_of
from ..metrics.merging import gather, merge
from .tables import ALL_FACES

Array = NDArray[np.float64]
UNITS = {'%': 'in per cent', 'px': 'in pixels of the photograph'}


class Row(NamedTuple):
    """A prediction, its ground truth, and its index in the data set.

    `expected` (K,) are the expected errors in pixels of the photograph; a network without a calibration has none.
    """

    id: str
    landmarks: Array
    scores: Array
    truth: Array
    visible: Array
    box: Array
    norm: float
    dataset_index: int
    tags: tuple[str, ...]
    path: str = ''
    is_detected: bool = True
    expected: Array | None = None
    score: float | None = None


class Collector(FaceMetric):
    """A metric without values: it keeps the rows for tables and pictures; after a test they are in `gathered`."""

    name = 'predictions'

    def __init__(self) -> None:
        super().__init__()
        self.gathered: list[Row] = []
        self.count = 0

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> list[Row]:
        """Return one `Row` for each prediction."""
        first, self.count = self.count, self.count + len(predictions)
        indices = get_rank() + get_world_size() * np.arange(first, self.count)  # as an unshuffled sampler deals them
        truth = {'path': [''] * len(predictions), 'detection': truth['box']} | truth
        keys = ('landmarks', 'visible', 'box', 'norm', 'tags', 'path', 'detection')
        return [
            Row(
                id=face['id'],
                landmarks=column(face['landmarks']),
                scores=column(face['scores']),
                truth=landmarks,
                visible=visible,
                box=box,
                norm=float(norm),
                dataset_index=int(index),
                tags=tags,
                path=path,
                is_detected=bool(np.isfinite(detection).all()),
                expected=column(face['errors']) if 'errors' in face else None,
                score=float(face['score']) if 'score' in face else None,
            )
            for face, index, landmarks, visible, box, norm, tags, path, detection in zip(
                predictions, indices, *(truth[key] for key in keys), strict=True
            )
        ]

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the rows of all ranks by id; return no values."""
        self.gathered, self.count = [Row(*row) for row in merge(gather(self.results))], 0
        self.results.clear()
        return {}


@dataclass
class Results:
    """The faces of a test as columns with N rows, in the order of their ids; `error` (N,) is a share of `normaliser`.

    `groups` (N,) numbers the photographs: intervals draw the faces of one photograph together. `is_detected` (N,) is
    whether a detector found the face; without a detector it is True.
    `metrics` are those of the test. The first one gives the normaliser; without any, it is the longer side of the box.
    `all_faces` is the name of the whole set; None if the tables show only its subsets. `headline` is the subset that
    then gives the value without a subset's name.
    """

    ids: list[str]
    landmarks: Array
    scores: Array
    truth: Array
    visible: Array
    box: Array
    norm: Array
    indices: NDArray[np.int64]
    tags: list[tuple[str, ...]]
    groups: NDArray[np.int64]
    is_detected: NDArray[np.bool_]
    markup: Markup
    subsets: tuple[str, ...]
    metrics: list[ErrorMetric]
    all_faces: str | None = ALL_FACES
    headline: str | None = None
    expected: Sequence[Array | None] = ()
    score: Sequence[float | None] = ()

    def __post_init__(self) -> None:
        self.metric = next((metric for metric in self.metrics if metric.unit == '%'), NME('box_side'))
        norm = self.metric.norm
        self.length = errors.normaliser(norm, self.markup, self.truth, self.box, self.norm, self.visible)
        self.error = self.errors_of(self.landmarks)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def columns(self) -> dict[str, str | None]:
        """The subset of each column of the table; None is the whole set."""
        return ({self.all_faces: None} if self.all_faces else {}) | {subset: subset for subset in self.subsets}

    @property
    def normaliser(self) -> str:
        """The description of what errors are divided by."""
        return self.metric.normaliser

    @property
    def normalisers(self) -> str:
        """The description of the normaliser; if metrics have different ones, each with the names of its metrics."""
        names: dict[str, list[str]] = {}
        for metric in self.metrics:
            if metric.unit == '%':
                names.setdefault(metric.normaliser, []).append(full_name(metric))
        if len(names) < 2:
            return self.normaliser
        return ', '.join(f'{normaliser} ({", ".join(of)})' for normaliser, of in names.items())

    @property
    def units(self) -> str:
        """The units of the metrics: 'NME, FR and AUC in per cent, EPE in pixels of the photograph'."""
        names = {
            unit: list(dict.fromkeys(m.name.partition('@')[0] for m in self.metrics if m.unit == unit))
            for unit in UNITS
        }
        return ', '.join(f'{_listed(names[unit])} {words}' for unit, words in UNITS.items() if names[unit])

    @property
    def has_groups(self) -> bool:
        """Whether several faces come from one photograph."""
        return len(set(self.groups.tolist())) < len(self)

    @property
    def drawn(self) -> str:
        """What the intervals draw."""
        return 'pictures, with all their faces' if self.has_groups else 'faces'

    def score_and_errors(self, index: int) -> dict[str, Any]:
        """Return the score of a face and the expected errors (K,) of its landmarks, or nothing."""
        expected = self.expected[index] if self.expected else None
        return {} if expected is None else dict(score=self.score[index], errors=expected.round(4).tolist())

    def errors_of(self, landmarks: Array) -> Array:
        """Return the errors (N,) of landmarks (N, K, 2): NaN if a face cannot be measured, infinite if it has none."""
        return errors.face_errors(landmarks, self.truth, self.visible, self.length)[0]

    def point_errors(self) -> Array:
        """Return the mean error (K,) of each point over the faces where it is visible, as a share of `normaliser`."""
        usable = np.isfinite(self.error)
        distance = np.linalg.norm(self.landmarks - self.truth, axis=-1)[usable] / self.length[usable, None]
        seen = self.visible[usable] > 0
        count = seen.sum(0)
        return np.where(count > 0, (distance * seen).sum(0) / np.maximum(count, 1), np.nan)

    def worst(self) -> list[int]:
        """Return the rows with a finite error, the largest first."""
        return [int(i) for i in np.argsort(-self.error, kind='stable') if math.isfinite(self.error[i])]

    def rows_of(self, subset: str | None = None) -> NDArray[np.int64]:
        """Return the rows of a subset, or of all faces, that are measured; some may have no prediction."""
        return np.flatnonzero(self.in_subset(subset) & ~np.isnan(self.error))

    def in_subset(self, subset: str | None) -> NDArray[np.bool_]:
        """Return whether each face (N,) belongs to a subset; None is the whole set."""
        return np.array([subset is None or subset in tags for tags in self.tags], bool)

    def metrics_of(self, landmarks: Array) -> dict[str, float]:
        """Return the test's metrics for other landmarks (N, K, 2) of the same faces."""
        values: dict[str, float] = {}
        for metric in self.metrics:
            values |= metric.with_prefix(metric.compute_metrics(self._rows_for(metric, landmarks)))
        return values

    def intervals(self) -> dict[str, Interval]:
        """Return the 95 % interval of each value that `metrics_of` returns for the predictions, by the same names."""
        found: dict[str, Interval] = {}
        for metric in self.metrics:
            rows = self._rows_for(metric, self.landmarks)
            measured = np.array([metric.is_measured(row) for row in rows])
            for subset in (None, *self.subsets):
                chosen = np.flatnonzero(measured & self.in_subset(subset or self.headline))
                if len(chosen):
                    limits = metric.interval([rows[i] for i in chosen], groups_of(self.groups[chosen]))
                    found |= metric.with_prefix({f'{metric.name}/{subset}' if subset else metric.name: limits})
        return found

    def _rows_for(self, metric: ErrorMetric, landmarks: Array) -> Sequence[Any]:
        """Return the rows of a metric for landmarks (N, K, 2) of the faces."""
        predictions = [dict(id=face, landmarks=points) for face, points in zip(self.ids, landmarks, strict=True)]
        truth = dict(landmarks=self.truth, visible=self.visible, box=self.box, norm=self.norm, tags=self.tags)
        return metric.rows(predictions, truth)


def _listed(names: Sequence[str]) -> str:
    return ' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))


def full_name(metric: FaceMetric) -> str:
    """Return a metric's name with its prefix."""
    return f'{metric.prefix}/{metric.name}' if metric.prefix else metric.name


def collect_results(runner: Runner) -> Results:
    """Return the results that the `Collector` of the runner's test has gathered."""
    evaluator = runner.test_loop.evaluator
    rows = next(metric for metric in evaluator.metrics if isinstance(metric, Collector)).gathered
    return results(rows, evaluator.metrics)


def results(rows: Sequence[Row], metrics: Sequence[FaceMetric]) -> Results:
    """Return gathered rows as columns, with the metrics that measured them."""
    if not rows:
        raise DataDefect('the test set has no faces, so there is nothing to report. Check its ann_file and subset')
    columns = dict(zip(Row._fields, zip(*rows, strict=True), strict=True))
    meta = metrics[0].dataset_meta or {}
    return Results(
        ids=list(columns['id']),
        **{key: np.stack(columns[key]) for key in ('landmarks', 'scores', 'truth', 'visible', 'box')},
        norm=np.array(columns['norm']),
        expected=columns['expected'],
        score=columns['score'],
        indices=np.array(columns['dataset_index']),
        tags=list(columns['tags']),
        groups=groups_of([path or f'face {name}' for name, path in zip(columns['id'], columns['path'], strict=True)]),
        is_detected=np.array(columns['is_detected'], bool),
        markup=metrics[0].markup,
        subsets=tuple(meta.get('subsets', ())),
        metrics=[metric for metric in metrics if isinstance(metric, ErrorMetric)],
        all_faces=None if meta.get('headline') else meta.get('whole') or ALL_FACES,
        headline=meta.get('headline'),
    )
