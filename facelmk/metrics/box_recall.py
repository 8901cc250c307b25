"""How many faces a detector finds, and how often it names something else: recall, alarms and average precision."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..registry import METRICS
from .base import FaceMetric
from .batch import Predictions, column


class SceneRow(NamedTuple):
    """What a detector found in a scene: the score of each box, whether it is a face, and the number of faces."""

    id: str
    scores: NDArray[np.float64]
    is_face: NDArray[np.bool_]
    faces: int
    tags: tuple[str, ...]


@METRICS.register_module()
class BoxRecall(FaceMetric):
    """The share of faces that a detector finds, false alarms for each scene, and average precision in per cent.

    A box is right if its intersection over union with a face that no better box has taken is at least `overlap`. Boxes
    on ignored faces do not count. `Recall` and `Alarms` count boxes whose score is at least `threshold`; `AP`, the area
    under the curve of precision over recall, needs no threshold.
    """

    name, direction, normaliser = 'AP', 'greater', 'the number of faces'
    ranges = {'threshold': (0, 1), 'overlap': (0.01, 1)}

    def __init__(self, threshold: float = 0.5, overlap: float = 0.5, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.threshold, self.overlap = threshold, overlap

    def process(self, data_batch: dict[str, Any], data_samples: Predictions) -> None:
        """Keep one row for each scene of a batch."""
        truth = data_batch['data_samples']
        index_of = {name: i for i, name in enumerate(truth['id'])}
        predictions = [prediction for prediction in data_samples if prediction['id'] in index_of]
        self.missing += index_of.keys() - {prediction['id'] for prediction in predictions}
        self.results.extend(self.rows(predictions, {'index_of': index_of, **truth}))

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> list[SceneRow]:
        """Return one `SceneRow` for each prediction."""
        rows = []
        for prediction in predictions:
            i = truth['index_of'][prediction['id']]
            faces, ignored = column(truth['boxes'][i]).reshape(-1, 4), column(truth['ignored'][i]) > 0
            boxes, scores = column(prediction['boxes']).reshape(-1, 4), column(prediction['scores'])
            order = np.argsort(-scores, kind='stable')
            is_face, counts = match(boxes[order], faces, ignored, self.overlap)
            rows.append(
                SceneRow(
                    prediction['id'],
                    scores[order][counts],
                    is_face[counts],
                    int((~ignored).sum()),
                    tuple(truth['tags'][i]),
                )
            )
        return rows

    def figures(self, rows: Sequence[SceneRow]) -> dict[str, float]:
        """Return recall and AP in per cent (NaN without faces), and false alarms for each scene."""
        faces = sum(row.faces for row in rows)
        scores = np.concatenate([np.zeros(0), *(row.scores for row in rows)])
        is_face = np.concatenate([np.zeros(0, bool), *(row.is_face for row in rows)])
        is_counted = scores >= self.threshold
        found, alarms = int((is_face & is_counted).sum()), int((~is_face & is_counted).sum())
        return {
            'AP': 100.0 * average_precision(scores, is_face, faces),
            'Recall': 100.0 * found / faces if faces else np.nan,
            'Alarms': alarms / len(rows) if rows else np.nan,
        }


def match(
    boxes: NDArray[np.float64], faces: NDArray[np.float64], ignored: NDArray[np.bool_], least: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each box (N, 4), the best first, is a face (N,), and whether it counts (N,): not on an ignored face."""
    shared = _shared_area(boxes, faces)
    areas, face_areas = _area(boxes), _area(faces)
    overlap = shared / np.maximum(areas[:, None] + face_areas[None] - shared, 1e-9)
    is_face, counts = np.zeros(len(boxes), bool), np.ones(len(boxes), bool)
    free = ~ignored
    for i in range(len(boxes)):
        candidates = np.where(free, overlap[i], -1.0)
        if len(faces) and candidates.max() >= least:
            is_face[i], free[candidates.argmax()] = True, False
        elif (shared[i, ignored] >= 0.5 * areas[i]).any():
            counts[i] = False
    return is_face, counts


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), 1)


def _shared_area(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.prod(np.maximum(high - low, 0), 2)


def average_precision(scores: NDArray[np.float64], is_face: NDArray[np.bool_], faces: int) -> float:
    """The area under the curve of precision over recall, the precision made monotonic, as in Pascal VOC 2010."""
    if not faces:
        return float('nan')
    right = is_face[np.argsort(-scores, kind='stable')]
    found = np.cumsum(right)
    precision = found / np.arange(1, len(right) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_from_here[right].sum() / faces)
