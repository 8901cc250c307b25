"""The baseline: the mean training face, placed into the box of each test face."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine import Config
from numpy.typing import ArrayLike, NDArray

from ..errors import FacelmkError
from ..registry import DATASETS

Array = NDArray[np.float64]
MAX_FACES, MAX_SYNTHETIC_FACES = 2000, 500  # for the mean; more do not change it, and drawing them takes time


def mean_face(landmarks: ArrayLike, visible: ArrayLike, boxes: ArrayLike) -> Array:
    """Return the mean (K, 2) of the visible landmarks (N, K, 2) in box coordinates: (p - centre) / longer side."""
    centre, side = _centre_and_side(boxes)
    points = (np.asarray(landmarks, np.float64) - centre[:, None]) / side[:, None, None]
    weight = (np.asarray(visible) > 0)[..., None]
    return (points * weight).sum(0) / np.maximum(weight.sum(0), 1)


def place_face(face: ArrayLike, boxes: ArrayLike) -> Array:
    """Return the landmarks (N, K, 2) of a face (K, 2) in box coordinates, placed into boxes (N, 4)."""
    centre, side = _centre_and_side(boxes)
    return np.asarray(face, np.float64) * side[:, None, None] + centre[:, None]


def _centre_and_side(boxes: ArrayLike) -> tuple[Array, Array]:
    """Return the centres (N, 2) and longer sides (N,) of boxes (N, 4)."""
    boxes = np.asarray(boxes, np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(-1)


def training_face(config: Config) -> Array:
    """Return the mean face of a config's training set, from faces at even distances in it."""
    if config.get('train_dataloader') is None:
        raise FacelmkError(
            f'{config.filename}: --baseline needs the mean training face, but the config has no '
            'train_dataloader. Add one, or leave --baseline out'
        )
    dataset = _without_pipelines(config.train_dataloader.dataset)
    faces = list(_synthetic_faces(dataset) if dataset['type'].endswith('SyntheticFaces') else _read_faces(dataset))
    return mean_face(*(np.stack([face[key] for face in faces]) for key in ('landmarks', 'visible', 'box')))


def _without_pipelines(config: Any) -> Any:
    """Return a data set's config with empty pipelines, so that no image is read."""
    if isinstance(config, dict):
        return {key: [] if key == 'pipeline' else _without_pipelines(value) for key, value in config.items()}
    return [_without_pipelines(value) for value in config] if isinstance(config, (list, tuple)) else config


def _read_faces(config: dict) -> Iterator[dict[str, Any]]:
    dataset = DATASETS.build(config)
    for index in even_indices(len(dataset), MAX_FACES):
        yield dataset[index]


def _synthetic_faces(config: dict) -> Iterator[dict[str, Any]]:
    """Yield synthetic faces without drawing them."""
    from ..synthetic import describe  # imported only for such data sets: start-up time

    start = config.get('start', 0)
    numbers = [start + index for index in even_indices(config.get('count', 1000), MAX_SYNTHETIC_FACES)]
    faces = describe(config.get('seed', 0), numbers, config.get('size', 256), config.get('markup', 'wflw'))
    for landmarks, visible, box in zip(faces.landmarks, faces.visible, faces.boxes, strict=True):
        yield dict(
            landmarks=landmarks, visible=visible if config.get('hide_covered') else np.ones_like(visible), box=box
        )


def even_indices(count: int, limit: int) -> list[int]:
    """Return up to `limit` indices below `count`, at even distances."""
    return np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(int)).tolist()
