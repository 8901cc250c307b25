"""Every face's prediction, gathered over the ranks beside the metrics of a test."""

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
from ..metrics.base import Predictions, column, gather, merge
from .tables import WHOLE

Array = NDArray[np.float64]


class Row(NamedTuple):
    """A prediction, its truth, and where in the data set the sampler had it from (`place`)."""

    id: str
    landmarks: Array
    scores: Array
    truth: Array
    visible: Array
    box: Array
    norm: float
    place: int
    tags: tuple[str, ...]


class Collector(FaceMetric):
    """No figure: keeps the rows that figures, pictures and pages are made from. After a test they are in `gathered`."""

    name = 'predictions'

    def __init__(self) -> None:
        super().__init__()
        self.gathered: list[Row] = []
        self.seen = 0

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> list[Row]:
        """One `Row` for each prediction."""
        first, self.seen = self.seen, self.seen + len(predictions)
        places = get_rank() + get_world_size() * np.arange(first, self.seen)  # as unshuffled samplers share a set out
        columns = zip(
            predictions,
            truth['landmarks'],
            truth['visible'],
            truth['box'],
            truth['norm'],
            places,
            truth['tags'],
            strict=True,
        )
        return [
            Row(
                face['id'],
                column(face['landmarks']),
                column(face['scores']),
                points,
                visible,
                box,
                float(norm),
                int(place),
                tags,
            )
            for face, points, visible, box, norm, place, tags in columns
        ]

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the rows of all ranks by id; there is no figure."""
        self.gathered, self.seen = [Row(*row) for row in merge(gather(self.results))], 0
        self.results.clear()
        return {}


@dataclass
class Results:
    """The faces of a test as columns: N rows, in the order of their ids; `error` (N,) is a share of `normaliser`.

    `metrics` are those of the test; the first one's normaliser is used, or the longer side of the box if there is none.
    `whole` is what the whole set is called, None where its figure would mix what tables keep apart.
    """

    ids: list[str]
    landmarks: Array
    scores: Array
    truth: Array
    visible: Array
    box: Array
    norm: Array
    places: NDArray[np.int64]
    tags: list[tuple[str, ...]]
    markup: Markup
    subsets: tuple[str, ...]
    metrics: list[ErrorMetric]
    whole: str | None = WHOLE

    def __post_init__(self) -> None:
        self.metric = self.metrics[0] if self.metrics else NME('box_side')
        self.length = errors.normaliser(self.metric.norm, self.markup, self.truth, self.box, self.norm)
        self.error = self.errors_of(self.landmarks)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def columns(self) -> dict[str, str | None]:
        """The table's columns and their subsets; None is the whole set."""
        return ({self.whole: None} if self.whole else {}) | {subset: subset for subset in self.subsets}

    @property
    def normaliser(self) -> str:
        """What `error` is a share of, in words."""
        return self.metric.normaliser

    @property
    def normalisers(self) -> str:
        """What the figures' errors are shares of: one for all, or each with its figure's name."""
        named = {full_name(metric): metric.normaliser for metric in self.metrics}
        if len(set(named.values())) < 2:
            return self.normaliser
        return ', '.join(f'{normaliser} ({name})' for name, normaliser in named.items())

    def errors_of(self, landmarks: Array) -> Array:
        """The faces' errors (N,) that landmarks (N, K, 2) have; NaN where a face cannot be measured."""
        return errors.face_errors(landmarks, self.truth, self.visible, self.length)[0]

    def point_errors(self) -> Array:
        """Each point's mean error (K,), as a share of `normaliser`, over the faces where it is visible."""
        usable = np.isfinite(self.error)
        distance = np.linalg.norm(self.landmarks - self.truth, axis=-1)[usable] / self.length[usable, None]
        seen = self.visible[usable] > 0
        count = seen.sum(0)
        return np.where(count > 0, (distance * seen).sum(0) / np.maximum(count, 1), np.nan)

    def worst(self) -> list[int]:
        """Rows that have an error, the largest first."""
        return [int(i) for i in np.argsort(-self.error, kind='stable') if math.isfinite(self.error[i])]

    def within(self, subset: str | None = None) -> NDArray[np.int64]:
        """The rows of a subset, or all, that have an error."""
        return np.array(
            [
                i
                for i, tags in enumerate(self.tags)
                if math.isfinite(self.error[i]) and (subset is None or subset in tags)
            ],
            np.int64,
        )

    def figures(self, landmarks: Array) -> dict[str, float]:
        """What the test's metrics say of other landmarks (N, K, 2) for the same faces."""
        predictions = [dict(id=face, landmarks=points) for face, points in zip(self.ids, landmarks, strict=True)]
        truth = dict(landmarks=self.truth, visible=self.visible, box=self.box, norm=self.norm, tags=self.tags)
        found: dict[str, float] = {}
        for metric in self.metrics:
            figures = metric.compute_metrics(metric.rows(predictions, truth))
            found |= {f'{metric.prefix}/{key}' if metric.prefix else key: value for key, value in figures.items()}
        return found


def full_name(metric: FaceMetric) -> str:
    """A figure's name with its prefix, as tables have it."""
    return f'{metric.prefix}/{metric.name}' if metric.prefix else metric.name


def collected(runner: Runner) -> Results:
    """What the runner's test left with its `Collector`."""
    evaluator = runner.test_loop.evaluator
    rows = next(metric for metric in evaluator.metrics if isinstance(metric, Collector)).gathered
    return results(rows, evaluator.metrics)


def results(rows: Sequence[Row], metrics: Sequence[FaceMetric]) -> Results:
    """Gathered rows as columns, with the metrics that measured them."""
    if not rows:
        raise DataDefect('the test set has no face, so there is nothing to report')
    ids, landmarks, scores, truth, visible, box, norm, places, tags = map(list, zip(*rows, strict=True))
    meta = metrics[0].dataset_meta or {}
    return Results(
        ids,
        np.stack(landmarks),
        np.stack(scores),
        np.stack(truth),
        np.stack(visible),
        np.stack(box),
        np.array(norm),
        np.array(places),
        tags,
        metrics[0].markup,
        tuple(meta.get('subsets', ())),
        [metric for metric in metrics if isinstance(metric, ErrorMetric)],
        None if meta.get('headline') else meta.get('whole') or WHOLE,
    )
