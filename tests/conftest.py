"""For all tests: one thread for torch and OpenCV, and the folder of reference data, which is optional."""

import os
from pathlib import Path

import cv2
import pytest
import torch

torch.set_num_threads(1)
cv2.setNumThreads(0)


@pytest.fixture(scope='session')
def shared() -> Path:
    """The folder of reference data. A test that needs it is skipped where the folder does not exist."""
    folder = Path(os.environ.get('FACELMK_SHARED', Path(__file__).parents[2] / 'shared'))
    if not (folder / 'ref').is_dir():
        pytest.skip(f'no reference data in {folder}; set FACELMK_SHARED to its folder')
    return folder
