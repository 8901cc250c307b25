"""metrics.json: the numbers of a test, with what they belong to."""

import platform
from collections.abc import Sequence
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
from ..files.atomic import write_bytes


def record(
    metrics: dict[str, float],
    config: Config,
    source: str,
    faces: int,
    paths: Sequence[str | Path],
    baseline: dict[str, float] | None = None,
) -> dict[str, Any]:
    """Write the metrics of a test, and those of the baseline if given, to each of `paths`; return what was written."""
    entry = {
        'config': Path(config.filename).stem,
        'checkpoint': str(source),
        'faces': faces,
        'metrics': metrics,
        'ranks': get_world_size(),
        'versions': versions(),
    } | ({} if baseline is None else {'baseline': baseline})
    for path in paths:
        write_bytes(Path(path), (json_tricks.dumps(entry, indent=2, allow_nan=True) + '\n').encode())
    return entry


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
