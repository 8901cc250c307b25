"""A small network to export, and crops of drawn faces."""

import numpy as np
import pytest
from exported import make_source

from facelmk.datasets import SyntheticFaces
from facelmk.export.crops import crops_of
from facelmk.export.parity import Crops
from facelmk.export.source import Source


@pytest.fixture(scope='session')
def source() -> Source:
    return make_source()


@pytest.fixture(scope='session')
def faces() -> list[dict]:
    dataset = SyntheticFaces('wflw', 4, 1, size=96)
    return [dataset.face(i) for i in range(4)]


@pytest.fixture(scope='session')
def crops(source: Source, faces: list[dict]) -> Crops:
    """Twelve different crops of four faces."""
    rng = np.random.default_rng(0)
    rows = [(face['image'], face['box'] + rng.uniform(-9, 9, 4)) for face in faces for _ in range(3)]
    return crops_of(source, rows)
