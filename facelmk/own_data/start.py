"""The weights that a training on own data starts from: those of a model, with a last layer for the own points."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine import Config
from torch import Tensor

from ..datasets.images.decode import read_image
from ..errors import FacelmkError
from ..inference import load
from ..inference.predictor import Predictor
from ..markups import MAPS, Markup
from ..registry import MODELS

MAX_FACES = 64  # whose points are compared with those that the model predicts
HEAD = 'head.'

Face = dict[str, Any]


class Start(NamedTuple):
    """The config of the network, its weights, and in words where its last layer comes from."""

    model: dict[str, Any]
    weights: dict[str, Tensor]
    origin: str


def new_start(predictor: Predictor, markup: Markup, faces: Sequence[Face]) -> Start:
    """Return the network of a model for another landmark scheme.

    If the model knows the scheme, its last layer is used. If not, each own point starts as the landmark of the model
    that is nearest to it on `faces`, which must all be faces of the training.
    """
    rows = _known_rows(predictor.markup, markup)
    origin = f'its own output for {markup.name}'
    if rows is None:
        rows, distance = _nearest_rows(predictor, markup, faces)
        origin = f'for each point the nearest landmark of the model, {distance:.0%} of the face away on average'
    model = _model_for(predictor.config, markup)
    return Start(model, _weights(predictor, model, markup, rows), origin)


def _known_rows(source: Markup, target: Markup) -> list[int] | None:
    """Return which points of the model's landmark scheme are those of another one; None if some of them are not."""
    if source.same_points(target):
        return list(range(source.size))
    weights = MAPS.get((source.name, target.name))
    if weights is None or len(weights) < target.size or any(len(each) > 1 for each in weights.values()):
        return None
    return [next(iter(weights[i])) for i in range(target.size)]


def _nearest_rows(predictor: Predictor, markup: Markup, faces: Sequence[Face]) -> tuple[list[int], float]:
    """Return the landmark of the model that is nearest to each own point, and the mean distance in sides of the box."""
    chosen = [faces[i] for i in np.unique(np.linspace(0, len(faces) - 1, MAX_FACES).round().astype(int))]
    rows = [(read_image(face['path']), face['box']) for face in chosen]
    size = predictor.batch_size
    found = [one for i in range(0, len(rows), size) for one in predictor.predict_boxes(rows[i : i + size])]
    predicted = np.stack([np.asarray(one['landmarks'], np.float64) for one in found])
    own, visible = (np.stack([face[key] for face in chosen]) for key in ('landmarks', 'visible'))
    sides = np.array([np.ptp(face['box'].reshape(2, 2), 0).max() for face in chosen])
    distances = np.linalg.norm(own[:, :, None] - predicted[:, None], axis=-1) / sides[:, None, None]
    distances = np.where((visible > 0)[..., None], distances, np.nan)
    unseen = ~(visible > 0).any(0)
    distances[:, unseen] = 1.0
    mean = np.nanmedian(distances, 0)
    return mean.argmin(1).tolist(), float(mean.min(1).mean())


def _model_for(config: Config, markup: Markup) -> dict[str, Any]:
    """Return the config of a network for another landmark scheme; its errors must be calibrated anew."""
    model = config.model.to_dict() if hasattr(config.model, 'to_dict') else dict(config.model)
    model.pop('calibration', None)
    return model | {'markup': markup.name}


def _weights(predictor: Predictor, model: dict[str, Any], markup: Markup, rows: list[int]) -> dict[str, Tensor]:
    """Return the weights of the new network: those of the old one, and in the last layer the rows of some points."""
    torch.manual_seed(0)
    old, new = predictor.landmarker.state_dict(), MODELS.build(model).state_dict()
    weights = {key: _fit(old.get(key), value, predictor.markup.size, rows, key) for key, value in new.items()}
    fresh = [key for key in new if key not in old or weights[key].shape != old[key].shape]
    if fresh and not any(key.startswith(HEAD) for key in fresh):
        raise FacelmkError(
            f'{fresh[0]} of the network depends on the number of points, so its weights cannot start a training on '
            f'{markup.size} points. Choose another --model, such as facelmk_nano'
        )
    return weights


def _fit(old: Tensor | None, new: Tensor, size: int, rows: list[int], key: str) -> Tensor:
    """Return the old values of one tensor, in the last layer those of the chosen points; the new ones if none fit."""
    if old is None:
        return new.clone()
    if key.startswith(HEAD) and old.ndim and old.shape[0] in (size, 2 * size):
        chosen = old.reshape(size, -1, *old.shape[1:])[rows].flatten(0, 1)
        if chosen.shape == new.shape:
            return chosen.cpu().clone()
    return old.cpu().clone() if old.shape == new.shape else new.clone()


def open_model(name: str | None) -> Predictor:
    """Return the model to start from: of the zoo, or a checkpoint."""
    return load(name, device='cpu', batch_size=32)
