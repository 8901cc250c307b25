"""metrics.json: the numbers of a test, with what they belong to, and the error of each face."""

import math
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import json_tricks
import mmengine
import numpy as np
import torch
from mmengine import Config
from mmengine.dist import get_world_size

from .. import __version__
from ..checkpoint.find import find_checkpoint
from ..config.folders import name_of_config
from ..errors import FacelmkError
from ..files.atomic import write_bytes
from ..files.digest import sha256_of
from ..metrics.bootstrap import LEVEL, RESAMPLES, SEED
from .collect import Results
from .detail import is_mean_of_points

PER_FACE = 'per_face'
ERROR_DIGITS, LENGTH_DIGITS = 5, 3  # of per cent, of pixels


def new_entry(metrics: Mapping[str, float], config: Config, source: str, results: Results) -> dict[str, Any]:
    """Return the content of metrics.json: the metrics of a test, their intervals, and each face's error."""
    return {
        'config': name_of_config(config.filename),
        'checkpoint': str(source),
        'checkpoint_sha256': _digest(source),
        'faces': len(results),
        'metrics': dict(metrics),
        'intervals': {name: list(limits) for name, limits in results.intervals().items()},
        'bootstrap': {
            'level': LEVEL,
            'resamples': RESAMPLES,
            'seed': SEED,
            'drawn': results.drawn,
            'groups': len(set(results.groups.tolist())),
        },
        'ranks': get_world_size(),
        'versions': versions(),
        PER_FACE: per_face(results),
    }


def _digest(source: str) -> str | None:
    """Return the sha256 of a checkpoint; None if its file has gone since it was loaded."""
    try:
        return sha256_of(find_checkpoint(source))
    except (FacelmkError, OSError):  # the metrics must not be lost for it
        return None


def per_face(results: Results) -> dict[str, Any]:
    """Return the columns that `facelmk compare` reads: one row for each measured face, in the order of the ids.

    `error` is in per cent of `length`, the normaliser in pixels; null without a prediction. `points` are the visible
    ones. `picture` numbers the photographs; it is left out if each face has one of its own.
    """
    rows = results.rows_of()
    columns: dict[str, Any] = {
        'normaliser': results.normaliser,
        'average': 'point' if is_mean_of_points(results) else 'face',
        'id': [str(results.ids[i]) for i in rows],
        'error': [
            round(100 * float(error), ERROR_DIGITS) if math.isfinite(error) else None for error in results.error[rows]
        ],
        'points': (results.visible[rows] > 0).sum(-1).tolist(),
        'length': results.length[rows].round(LENGTH_DIGITS).tolist(),
    }
    if results.has_groups:
        columns['picture'] = results.groups[rows].tolist()
    if results.subsets:
        columns['subsets'] = {
            subset: np.flatnonzero(results.in_subset(subset)[rows]).tolist() for subset in results.subsets
        }
    if results.headline:
        columns['headline'] = results.headline
    return columns


def record(entry: Mapping[str, Any], paths: Sequence[str | Path]) -> None:
    """Write the content of metrics.json to each of `paths`."""
    for path in paths:
        write_bytes(Path(path), (to_json(entry) + '\n').encode())


def to_json(entry: Mapping[str, Any]) -> str:
    """Return an entry as json, each list of numbers or texts on one line."""
    text = json_tricks.dumps(entry, indent=2, allow_nan=True)
    # json escapes the line breaks of texts, so those between brackets come from the indent
    return re.sub(r'\[\n([^\[\]{}]*)\n *\]', lambda found: '[' + re.sub(r'\n *', ' ', found[1]).strip() + ']', text)


def versions() -> dict[str, str]:
    """Return the versions of the packages that the numbers depend on."""
    return {
        'facelmk': __version__,
        'python': platform.python_version(),
        'torch': torch.__version__,
        'mmengine': mmengine.__version__,
        'numpy': np.__version__,
        'opencv': cv2.__version__,
    }
