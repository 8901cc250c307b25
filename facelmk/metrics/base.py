"""What the metrics share: rows of all ranks merged by face, and every figure for the whole set and for each subset."""

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from numpy.typing import NDArray

from ..errors import FacelmkError
from ..markups import MARKUPS, Markup
from .errors import Norm, check_norm, describe, face_errors, normaliser
from .merging import Share, check_count, check_missing, check_sizes, doubles, gather, merge, name_some

Predictions = Sequence[dict[str, Any]]


class FaceMetric(BaseMetric):
    """Figures over faces, for the whole set and for each of its subsets in one pass.

    A row is a tuple that begins with the face's id and ends with its tags. `evaluate` gathers the rows of all ranks
    and merges them by id, so that the share-out over ranks and the sampler's padding change no figure. A face that is
    missing, or measured twice without padding, is an error on every rank, so that none waits for another.
    `name`, `unit`, `direction` ('less' or 'greater' is better) and `normaliser` describe the figure.
    """

    default_prefix = ''
    key: Callable[[Any], Any] = staticmethod(lambda name: name)  # what stands for an id while rows travel
    name: str
    unit = '%'
    direction = 'less'
    normaliser = ''

    def __init__(self, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.missing: list[str] = []  # samples without a prediction

    @property
    def markup(self) -> Markup:
        """The mark-up of the data set that is being measured."""
        if not self.dataset_meta or 'markup' not in self.dataset_meta:
            raise FacelmkError(
                f"{type(self).__name__} knows no mark-up; set dataset_meta = {{'markup': 'wflw'}} "
                '(the runner takes it from the data set)'
            )
        return MARKUPS[self.dataset_meta['markup']]

    def process(self, data_batch: dict[str, Any], data_samples: Predictions) -> None:
        """Keep one row for each prediction of a batch."""
        truth = data_batch['data_samples']
        place = {name: i for i, name in enumerate(truth['id'])}
        found = [prediction for prediction in data_samples if prediction['id'] in place]
        self.missing += place.keys() - {prediction['id'] for prediction in found}
        order = [place[prediction['id']] for prediction in found]
        picked: dict[str, Any] = {key: column(truth[key])[order] for key in ('landmarks', 'visible', 'norm', 'box')}
        picked['tags'] = [tuple(truth['tags'][i]) for i in order]
        self.results.extend(self.rows(found, picked) if found else ())

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> Sequence[Any]:
        """One row (id, ..., tags) for each prediction; `truth` holds columns in the predictions' order."""
        raise TypeError(f'{type(self).__name__} must say what it keeps of a face')

    def figures(self, rows: Sequence[Any]) -> dict[str, float]:
        """The figures of some rows, by name."""
        raise TypeError(f'{type(self).__name__} must say what its figures are')

    def evaluate(self, size: int) -> dict[str, float]:
        """The figures of all faces of all ranks; every rank gets the same answer."""
        own, missing = list(self.results), list(self.missing)
        self.results.clear()
        self.missing.clear()
        rows = self._joined(own, missing, size)
        figures = self.compute_metrics(rows)
        return {f'{self.prefix}/{key}' if self.prefix else key: value for key, value in figures.items()}

    def _joined(self, own: list[tuple], missing: list[str], size: int) -> list[tuple]:
        """The rows of all ranks, each face once."""
        brought = [Share(*share) for share in gather(Share(self.pack(own), missing, size))]
        check_sizes([share.size for share in brought])
        check_missing([share.missing for share in brought])
        shares = [self.unpack(share.rows) for share in brought]
        if wrong := doubles([[row[0] for row in share] for share in shares], size):
            names = {row[0] for row in own if self.key(row[0]) in wrong}
            raise FacelmkError(
                f'measured twice: {name_some(set().union(*gather(names)))}. Ids must differ, and no '
                'sampler may hand a face out twice, unless it evens the ranks out'
            )
        rows = merge(shares)
        check_count(len(rows), size, [len(share) for share in shares])
        return rows

    def pack(self, rows: Sequence[Any]) -> Any:
        """Rows as they travel to the other ranks."""
        return rows

    def unpack(self, packed: Any) -> Sequence[Any]:
        """The rows of what `pack` made."""
        return packed

    def compute_metrics(self, results: Sequence[Any]) -> dict[str, float]:
        """`figures` of the whole set, or of its headline subset, then of each subset that has a face."""
        meta = self.dataset_meta or {}
        headline = meta.get('headline')
        found = dict(self.figures([row for row in results if headline is None or headline in row[-1]]))
        for subset in meta.get('subsets', ()):
            rows = [row for row in results if subset in row[-1]]
            if rows:
                found |= {f'{key}/{subset}': value for key, value in self.figures(rows).items()}
        return found


class ErrorRow(NamedTuple):
    """What is kept of a face: its error as a share of the normaliser, over how many points, in which subsets."""

    id: str
    error: float
    points: int
    tags: tuple[str, ...]


class ErrorMetric(FaceMetric):
    """A figure of the faces' normalised errors.

    `norm`: 'inter_ocular' | 'inter_pupil' | 'box_side' | 'box_geo' | 'box_diagonal' | 'file' | (i, j), two points.
    Points that are not visible count nothing. A face without a normaliser is left out, and the log says how many.
    A face travels as 28 bytes, and one more a subset: 16 for its id, 8 for the error, 4 for the number of points.
    """

    key = staticmethod(lambda name: hashlib.blake2b(str(name).encode(), digest_size=16).hexdigest())

    def __init__(self, norm: Norm = 'inter_ocular', prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.norm = check_norm(norm)
        self.normaliser = describe(self.norm)

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> list[ErrorRow]:
        """One `ErrorRow` for each prediction."""
        landmarks = np.stack([column(prediction['landmarks']) for prediction in predictions])
        length = normaliser(self.norm, self.markup, truth['landmarks'], truth['box'], truth['norm'])
        error, count = face_errors(landmarks, truth['landmarks'], truth['visible'], length)
        return [
            ErrorRow(prediction['id'], float(e), int(n), tags)
            for prediction, e, n, tags in zip(predictions, error, count, truth['tags'], strict=True)
        ]

    def _layout(self) -> tuple[list[str], np.dtype]:
        """The subsets that count, and a row as bytes."""
        meta = self.dataset_meta or {}
        tags = sorted({*meta.get('subsets', ()), meta.get('headline')} - {None})
        return tags, np.dtype([('key', 'V16'), ('error', '<f8'), ('points', '<i4'), ('tags', '?', (len(tags),))])

    def pack(self, rows: Sequence[ErrorRow]) -> bytes:
        """Rows as bytes."""
        tags, layout = self._layout()
        packed = np.zeros(len(rows), layout)
        for i, row in enumerate(rows):
            packed[i] = bytes.fromhex(self.key(row.id)), row.error, row.points, [tag in row.tags for tag in tags]
        return packed.tobytes()

    def unpack(self, packed: bytes) -> list[ErrorRow]:
        """Rows whose id is a digest of the face's."""
        tags, layout = self._layout()
        return [
            ErrorRow(
                row['key'].tobytes().hex(),
                float(row['error']),
                int(row['points']),
                tuple(tag for tag, has in zip(tags, row['tags'], strict=True) if has),
            )
            for row in np.frombuffer(packed, layout)
        ]

    def compute_metrics(self, results: Sequence[ErrorRow]) -> dict[str, float]:
        """The figures of the faces that have an error."""
        kept = [row for row in results if not math.isnan(row.error)]
        if len(kept) < len(results):
            print_log(
                f'{self.name}: {len(results) - len(kept)} of {len(results)} faces are left out: no visible point'
                f', or {self.normaliser} is 0 or missing',
                logger='current',
            )
        return super().compute_metrics(kept)

    def figures(self, rows: Sequence[ErrorRow]) -> dict[str, float]:
        """`figure` in per cent; NaN where there is no face."""
        if not rows:
            return {self.name: math.nan}
        return {
            self.name: 100.0
            * self.figure(np.array([row.error for row in rows]), np.array([row.points for row in rows]))
        }

    def figure(self, error: NDArray[np.float64], count: NDArray[np.int64]) -> float:
        """The figure, as a share, of the faces' errors (N,) and their numbers of visible points (N,)."""
        raise TypeError(f'{type(self).__name__} must say what its figure is')


def column(values: Any) -> NDArray[np.float64]:
    """Tensor, array or list as a float64 array."""
    return np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values, np.float64)
