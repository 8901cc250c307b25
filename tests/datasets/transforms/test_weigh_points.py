"""Points have the weights of their landmark scheme, also in the loss."""

import numpy as np
import pytest
import torch

from facelmk.codecs import SimCC
from facelmk.datasets import WeighPoints
from facelmk.markups import MARKUPS


def weighed(name: str) -> np.ndarray:
    markup = MARKUPS[name]
    visible = np.ones(markup.size, np.float32)
    visible[:3] = 0
    return WeighPoints()({'markup': markup, 'visible': visible})['visible']


def test_points_of_lapa_have_the_weights_of_rtmpose() -> None:
    """Weights: the jaw below 1, eyes 2, lips 1.5; invisible points stay invisible."""
    visible = weighed('lapa')
    expected = {
        0: 0.0,
        2: 0.0,
        3: 0.8,
        32: 0.8,
        33: 1.0,
        65: 1.0,
        66: 2.0,
        73: 2.0,
        74: 1.0,
        75: 2.0,
        82: 2.0,
        84: 1.5,
        103: 1.5,
        104: 1.0,
        105: 1.0,
    }
    assert {i: pytest.approx(visible[i]) for i in expected} == expected
    weights = np.array(MARKUPS['lapa'].weights)
    assert np.array_equal(weights[MARKUPS['lapa'].mirror], weights)


def test_the_codec_passes_the_weights_on() -> None:
    visible = torch.from_numpy(weighed('lapa'))[None]
    points = torch.full((1, 106, 2), 30.0)
    target, weight = SimCC().encode(points, visible, torch.zeros(1, 106, 2, 128), 64)
    assert torch.allclose(weight[0, :, 0, 0], visible[0]) and target[0, 3].max() == target[0, 66].max() == 1


def test_points_of_a_landmark_scheme_without_weights_count_equally() -> None:
    assert set(weighed('wflw')) == {0.0, 1.0}
