"""Fixtures of all tests: quiet threads, and the optional folder of reference data."""

import os
from pathlib import Path

import cv2
import pytest
import torch

torch.set_num_threads(1)
cv2.setNumThreads(0)


@pytest.fixture(scope='session')
def shared() -> Path:
    """A folder of reference data that no user needs; the test skips where it is missing."""
    folder = Path(os.environ.get('FACELMK_SHARED', Path(__file__).parents[2] / 'shared'))
    if not (folder / 'ref').is_dir():
        pytest.skip(f'no reference data: {folder} is not there (set FACELMK_SHARED)')
    return folder
