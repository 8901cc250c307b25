"""A small network whose output depends on the picture, saved to a file, and drawn faces as input."""

from pathlib import Path

import numpy as np
import pytest
import torch

import facelmk
from facelmk.datasets import SyntheticFaces
from facelmk.inference import Predictor

FACES = 5


@pytest.fixture(scope='session')
def faces() -> list[dict]:
    """The first faces of the quick start's validation set, with their pictures."""
    dataset = SyntheticFaces('wflw', FACES, 1, size=160)
    return [dataset.face(i) for i in range(FACES)]


@pytest.fixture(scope='session')
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the quick start's network, untrained; steep maps, so that every picture gives different points."""
    torch.manual_seed(3)
    landmarker = facelmk.load('quickstart', pretrained=False, device='cpu').landmarker
    state = landmarker.state_dict()
    last = next(key for key in reversed(state) if key.startswith('head.') and state[key].ndim > 1)
    state[last] = state[last] * 2000
    path = tmp_path_factory.mktemp('weights') / 'steep.pth'
    torch.save({'state_dict': state}, path)
    return path


@pytest.fixture(scope='session')
def predictor(weights: Path) -> Predictor:
    """The quick start's network with those weights."""
    return facelmk.load('quickstart', weights, 'cpu')


@pytest.fixture(scope='session')
def picture(faces: list[dict]) -> np.ndarray:
    """A photograph that is not square, (140, 160, 3) BGR."""
    return np.ascontiguousarray(faces[0]['image'][20:])
