"""A small network to ask, a picture, and a way to act without root's rights."""

import os
import pickle
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import facelmk
from facelmk.inference import Predictor

NOBODY = 65534


@pytest.fixture(scope='session')
def predictor() -> Predictor:
    """The quick start's network, untrained; its maps are steep, so that every picture gives other points."""
    torch.manual_seed(3)
    found = facelmk.load('quickstart', pretrained=False, device='cpu')
    state = found.landmarker.state_dict()
    last = next(key for key in reversed(state) if key.startswith('head.') and state[key].ndim > 1)
    found.landmarker.load_state_dict(state | {last: state[last] * 2000})
    return found


@pytest.fixture(scope='session')
def picture() -> np.ndarray:
    """A smooth picture (40, 80, 3) BGR, of no symmetry."""
    coarse = np.random.default_rng(0).integers(0, 255, (6, 11, 3), np.uint8)
    return cv2.resize(coarse, (80, 40), interpolation=cv2.INTER_LINEAR)


@pytest.fixture
def pillow_image(picture: np.ndarray) -> Image.Image:
    """The same as a PIL image."""
    return Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))


@pytest.fixture
def as_nobody() -> Callable[[Callable[[], Any]], Any]:
    """Calls a function in a child process without root's rights; gives its result, or the error that it raised."""
    if not hasattr(os, 'fork'):
        pytest.skip('this system has no fork')

    def run(act: Callable[[], Any]) -> Any:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setgid(NOBODY)
                    os.setuid(NOBODY)
                result = act()
            except BaseException as error:
                result = error
            os.write(writing, pickle.dumps(result))
            os._exit(0)
        os.close(writing)
        with open(reading, 'rb') as stream:
            told = stream.read()
        os.waitpid(child, 0)
        result = pickle.loads(told)
        if isinstance(result, PermissionError) and result.filename is None:
            pytest.skip(f'this machine does not let a process give its rights up: {result}')
        return result

    return run
