"""COCO's keypoint average precision, for faces."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError, MissingResource
from ..markups import Markup
from ..registry import METRICS
from .base import FaceMetric
from .batch import Predictions, column

# how much annotators differ at each point, as a share of the face's size (COCO-WholeBody, arXiv:2007.11858)
# fmt: off
WHOLEBODY_SIGMAS = (
    .042, .043, .044, .043, .04, .035, .031, .025, .02, .023, .029, .032, .037, .038, .043, .041, .045,
    .013, .012, .011, .011, .012, .012, .011, .011, .013, .015, .009, .007, .007, .007, .012, .009, .008, .016, .01,
    .017, .011, .009, .011, .009, .007, .013, .008, .011, .012, .01, .034,
    .008, .008, .009, .008, .008, .007, .01, .008, .009, .009, .009, .007, .007, .008, .011, .008, .008, .008, .01,
    .008)
# fmt: on
FAR_AWAY_PX = 1e7  # where points without a prediction are put
DEFAULT_SIGMA = 0.025  # COCO's value for an eye


class PoseRow(NamedTuple):
    """The annotation of a face, its prediction, and its subsets."""

    id: str
    truth: NDArray[np.float64]
    visible: NDArray[np.float64]
    box: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    score: float
    tags: tuple[str, ...]


@METRICS.register_module()
class KeypointAP(FaceMetric):
    """Mean average precision over object keypoint similarities of .5 to .95, in per cent; AP@0.5 and AP@0.75 too.

    Each face counts as an image of its own, with the area of its box as its size; its score is the mean of its points'
    scores. `sigmas` is one number, or one a point; the default is COCO-WholeBody's for its 68 points, else 0.025.
    """

    name, direction, normaliser = 'AP', 'greater', 'the area of the box and the sigma of the point'
    ranges = {'sigmas': (0.0001, 10)}

    def __init__(self, sigmas: float | Sequence[float] | None = None, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.sigmas = sigmas

    def rows(self, predictions: Predictions, truth: dict[str, Any]) -> list[PoseRow]:
        """Return one `PoseRow` for each prediction."""
        return [
            PoseRow(
                prediction['id'],
                truth['landmarks'][i],
                truth['visible'][i],
                truth['box'][i],
                np.where(np.isfinite(points := column(prediction['landmarks'])), points, FAR_AWAY_PX),
                float(column(prediction['scores']).mean()),
                truth['tags'][i],
            )
            for i, prediction in enumerate(predictions)
        ]

    def figures(self, rows: Sequence[PoseRow]) -> dict[str, float]:
        """Return AP over all thresholds, at .5 and at .75; NaN without faces."""
        values = _summary(rows, self._sigmas(self.markup)) if rows else [np.nan] * 3
        return {key: 100.0 * float(value) for key, value in zip(('AP', 'AP@0.5', 'AP@0.75'), values, strict=True)}

    def check_markup(self, markup: Markup) -> None:
        """Refuse sigmas that are neither one nor one a point."""
        self._sigmas(markup)

    def _sigmas(self, markup: Markup) -> NDArray[np.float64]:
        default = WHOLEBODY_SIGMAS if markup.name == 'coco_wholebody_face' else DEFAULT_SIGMA
        sigmas = np.atleast_1d(np.asarray(default if self.sigmas is None else self.sigmas, np.float64))
        if len(sigmas) not in (1, markup.size):
            raise FacelmkError(
                f'KeypointAP.sigmas has {len(sigmas)} numbers, the landmark scheme {markup.name!r} has '
                f'{markup.size} points. Give one number, or one a point'
            )
        return np.broadcast_to(sigmas, markup.size)


def _summary(rows: Sequence[PoseRow], sigmas: NDArray[np.float64]) -> Sequence[float]:
    """COCO's AP, AP@.5 and AP@.75 as shares, by its own evaluation code, whose prints are dropped."""
    COCO, COCOeval = coco_tools()
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            'images': [{'id': i} for i in range(len(rows))],
            'categories': [{'id': 1, 'name': 'face'}],
            'annotations': [_annotation(i, row) for i, row in enumerate(rows)],
        }
        truth.createIndex()
        predictions = truth.loadRes(
            [
                {
                    'image_id': i,
                    'category_id': 1,
                    'score': row.score,
                    'keypoints': _flat(row.landmarks, np.ones(len(row.landmarks))),
                }
                for i, row in enumerate(rows)
            ]
        )
        evaluation = COCOeval(truth, predictions, 'keypoints')
        evaluation.sigmas = evaluation.params.kpt_oks_sigmas = sigmas  # xtcocotools' name and pycocotools' name
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:3]


def _annotation(i: int, row: PoseRow) -> dict[str, Any]:
    x1, y1, x2, y2 = row.box.tolist()
    return {
        'id': i + 1,
        'image_id': i,
        'category_id': 1,
        'iscrowd': 0,
        'bbox': [x1, y1, x2 - x1, y2 - y1],
        'area': (x2 - x1) * (y2 - y1),
        'num_keypoints': int((row.visible > 0).sum()),
        'keypoints': _flat(row.truth, 2 * (row.visible > 0)),
    }


def _flat(points: NDArray[np.float64], visible: NDArray) -> list[float]:
    """Return points (K, 2) and their flags as COCO's x, y, v, x, y, v, ..."""
    return np.column_stack([points, visible]).ravel().tolist()


def coco_tools() -> tuple[type, type]:
    """Import COCO and COCOeval from xtcocotools, or from pycocotools if that is missing or built for another NumPy."""
    try:
        from xtcocotools.coco import COCO
        from xtcocotools.cocoeval import COCOeval
    except (ImportError, ValueError):  # ValueError: its wheel is compiled against NumPy 1
        try:
            from pycocotools.coco import COCO
            from pycocotools.cocoeval import COCOeval
        except ImportError as error:
            raise MissingResource(
                'KeypointAP needs xtcocotools: pip install xtcocotools (or pycocotools, with NumPy 2)'
            ) from error
    return COCO, COCOeval
