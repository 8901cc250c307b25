"""A picture with three spots, and a small config of ours."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest

matplotlib.use('Agg')
CONFIG = """
crop = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
val_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=3, size=64, pipeline=crop))
val_evaluator = [dict(type='NME')]
model = dict(type='facelmk.FaceLandmarker', backbone=dict(type='ResNet', depth=18), head=dict(type='RegressionHead'),
             codec=dict(type='Coordinates'), loss=dict(type='WingLoss'))
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / 'small.py'
    path.write_text(CONFIG)
    return path


def spots(width: int = 320, height: int = 240, spread: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """A dark BGR picture with a red, a green and a blue spot, and where they are (3, 2)."""
    points = np.array([[0.45, 0.4], [0.6, 0.45], [0.5, 0.65]]) * [width, height]
    ys, xs = np.mgrid[:height, :width]
    spots = [255 * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * spread**2)) for x, y in points]
    return np.stack(spots[::-1], -1).astype(np.uint8), points


@pytest.fixture(scope='session')
def photograph():
    """Draws a dark picture with three spots."""
    return spots
