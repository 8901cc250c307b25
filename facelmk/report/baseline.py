"""The floor: how well one does without looking. The mean training face is placed in each test face's box."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine import Config
from numpy.typing import ArrayLike, NDArray

from ..errors import FacelmkError
from ..registry import DATASETS

Array = NDArray[np.float64]
MOST, MOST_DRAWN = 2000, 500  # faces that the mean is taken of; more do not move it, and drawing them costs time


def mean_face(landmarks: ArrayLike, visible: ArrayLike, boxes: ArrayLike) -> Array:
    """The mean (K, 2) of the visible landmarks (N, K, 2) in box coordinates: (p - centre) / longer side."""
    centre, side = _frame(boxes)
    points = (np.asarray(landmarks, np.float64) - centre[:, None]) / side[:, None, None]
    weight = (np.asarray(visible) > 0)[..., None]
    return (points * weight).sum(0) / np.maximum(weight.sum(0), 1)


def placed(face: ArrayLike, boxes: ArrayLike) -> Array:
    """A face (K, 2) of box coordinates in boxes (N, 4), as landmarks (N, K, 2)."""
    centre, side = _frame(boxes)
    return np.asarray(face, np.float64) * side[:, None, None] + centre[:, None]


def _frame(boxes: ArrayLike) -> tuple[Array, Array]:
    """Centres (N, 2) and longer sides (N,) of boxes (N, 4)."""
    boxes = np.asarray(boxes, np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(-1)


def training_face(config: Config) -> Array:
    """The mean face of a config's training set, from faces spread evenly over it."""
    if config.get('train_dataloader') is None:
        raise FacelmkError(
            f'{config.filename}: --floor asks for the mean training face, but there is no '
            'train_dataloader; leave --floor out'
        )
    part = _bare(config.train_dataloader.dataset)
    faces = list(_drawn(part) if part['type'].endswith('SyntheticFaces') else _listed(part))
    return mean_face(*(np.stack([face[key] for face in faces]) for key in ('landmarks', 'visible', 'box')))


def _bare(part: Any) -> Any:
    """A data set's config without pipelines, so that no picture is read."""
    if isinstance(part, dict):
        return {key: [] if key == 'pipeline' else _bare(value) for key, value in part.items()}
    return [_bare(value) for value in part] if isinstance(part, (list, tuple)) else part


def _listed(part: dict) -> Iterator[dict[str, Any]]:
    dataset = DATASETS.build(part)
    for index in _spread(len(dataset), MOST):
        yield dataset[index]


def _drawn(part: dict) -> Iterator[dict[str, Any]]:
    """Synthetic faces without their pictures."""
    from ..synthetic import describe  # loaded only where such faces are used

    first = part.get('start', 0)
    numbers = [first + index for index in _spread(part.get('count', 1000), MOST_DRAWN)]
    told = describe(part.get('seed', 0), numbers, part.get('size', 256), part.get('markup', 'wflw'))
    for landmarks, visible, box in zip(told.landmarks, told.visible, told.boxes, strict=True):
        counted = visible if part.get('hide_covered') else np.ones_like(visible)
        yield dict(landmarks=landmarks, visible=counted, box=box)


def _spread(count: int, most: int) -> list[int]:
    """Up to `most` numbers below `count`, evenly apart."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
