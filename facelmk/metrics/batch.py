"""What all metrics of an evaluator compute from a batch, computed once: columns, distances, errors."""

from collections.abc import Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..markups import Markup
from .errors import Norm, normalised, normaliser, point_distances
from .once import once
from .rows import Faces

Array = NDArray[np.float64]
Predictions = Sequence[dict[str, Any]]
COLUMNS = ('landmarks', 'visible', 'norm', 'box')


def column(values: Any) -> Array:
    """Return a tensor, array or list as a float64 array."""
    return np.asarray(values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values, np.float64)


def stacked(predictions: Predictions, key: str = 'landmarks') -> Array:
    """Return one value of all predictions as an array (N, ...)."""
    values = [prediction[key] for prediction in predictions]
    if set(map(type, values)) == {torch.Tensor}:
        return column(torch.stack(values))
    return np.stack([column(value) for value in values])


class Batch:
    """The predictions of a batch, the columns of their ground truth in the same order, and ids without a prediction."""

    def __init__(self, truth: dict[str, Any], predictions: Predictions) -> None:
        index_of = {name: i for i, name in enumerate(truth['id'])}
        self.predictions = [prediction for prediction in predictions if prediction['id'] in index_of]
        order = [index_of[prediction['id']] for prediction in self.predictions]
        self.missing = index_of.keys() - {prediction['id'] for prediction in self.predictions}
        rows = slice(None) if order == list(range(len(index_of))) else order
        self.columns: dict[str, Any] = {key: column(truth[key])[rows] for key in COLUMNS}
        self.columns['tags'] = [tuple(truth['tags'][i]) for i in order]
        self.columns['path'] = [str(truth['path'][i]) for i in order] if 'path' in truth else [''] * len(order)
        self.columns['detection'] = self.columns['box']
        if 'detection' in truth:
            self._detected(column(truth['detection'])[rows])

    def _detected(self, boxes: Array) -> None:
        is_detected = np.isfinite(boxes).all(-1)
        self.columns['detection'] = boxes
        self.predictions = [
            prediction if found else prediction | {'landmarks': np.full(np.shape(prediction['landmarks']), np.nan)}
            for prediction, found in zip(self.predictions, is_detected, strict=True)
        ]


def batch_of(truth: dict[str, Any], predictions: Predictions) -> Batch:
    """Return the batch of these samples and predictions; the same object for the same contents."""
    contents = map(truth.get, ('id', *COLUMNS, 'tags', 'path', 'detection'))
    return _batch(truth, predictions, *contents, *map(itemgetter('landmarks'), predictions))


@once
def _batch(truth: dict[str, Any], predictions: Predictions, *contents: Any) -> Batch:
    return Batch(truth, predictions)


class ErrorTable:
    """The errors of N faces, from which NME, failure rate, AUC, PCK and EPE are computed."""

    def __init__(self, predictions: Predictions, truth: dict[str, Any]) -> None:
        self.truth, self.landmarks = truth, stacked(predictions)
        self.faces = Faces([prediction['id'] for prediction in predictions], truth['tags'])
        self._errors: dict[tuple[Any, str], Array] = {}

    @cached_property
    def distances(self) -> Array:
        """The distance (N, K) of each point from its ground truth in pixels; infinite without a finite prediction."""
        return point_distances(self.landmarks, self.truth['landmarks'])

    @cached_property
    def is_visible(self) -> NDArray[np.bool_]:
        """Whether each point (N, K) is visible."""
        return self.truth['visible'] > 0

    @cached_property
    def count(self) -> NDArray[np.int64]:
        """The number of visible points (N,)."""
        return self.is_visible.sum(-1)

    @cached_property
    def total(self) -> Array:
        """The sum of the distances of the visible points (N,)."""
        return np.where(self.is_visible, self.distances, 0.0).sum(-1)

    def lengths(self, norm: Norm, markup: Markup) -> Array:
        """Return the normaliser (N,) of each face."""
        truth = self.truth
        return normaliser(norm, markup, truth['landmarks'], truth['box'], truth['norm'], truth['visible'])

    def errors(self, norm: Norm | None, markup: Markup | None = None) -> Array:
        """Return the mean error (N,) of each face as a share of the normaliser; in pixels without one."""
        key = (norm, markup.name if markup else '')
        if key not in self._errors:
            length = self.lengths(norm, markup) if norm and markup else np.ones(len(self.total))
            self._errors[key] = normalised(self.total, self.count, length)
        return self._errors[key]


@once
def error_table(predictions: Predictions, truth: dict[str, Any]) -> ErrorTable:
    """Return the errors of predictions; the same object for the same batch."""
    return ErrorTable(predictions, truth)
