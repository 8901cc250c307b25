"""The steps that the benchmark compares do the same: same inputs, same outputs, nearly the same predictions."""

import copy

import pytest
import torch
from mmengine import ConfigDict

from facelmk.bench.baseline.step import PlainStep
from facelmk.bench.step import FastStep, predicted_points, random_batch
from facelmk.engine.speed import Speed
from facelmk.registry import MODELS

SIDE, K = 32, 19
OPTIMIZER = dict(type='SGD', lr=0.1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='FaceLandmarker',
            backbone=dict(type='QuickNet', width=8, widths=(8, 8, 8), depths=(0, 0, 0)),
            head=dict(type='HeatmapHead'),
            codec=dict(type='Heatmap'),
            loss=dict(type='HeatmapMSELoss'),
            markup='aflw',
            size=SIDE,
            flip_test=True,
        )
    )


def test_both_steps_train_the_same_weights(network):
    batch, config = random_batch(SIDE, 2, K), ConfigDict(optim_wrapper=dict(optimizer=OPTIMIZER))
    plain, fast = PlainStep(copy.deepcopy(network), OPTIMIZER, batch), FastStep(config, Speed(), copy.deepcopy(network))
    for _ in range(2):
        plain.step()
        fast(batch)
    pairs = zip(plain.network.parameters(), fast.network.parameters(), strict=True)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in pairs)
    assert not torch.equal(next(network.parameters()), next(fast.network.parameters()))


def test_both_predict_the_same_points(network):
    batch = random_batch(SIDE, 2, K)
    plain = PlainStep(copy.deepcopy(network), OPTIMIZER, batch)
    plain.network.eval(), network.eval()
    with torch.no_grad():
        expected = network.test_step(batch)
    found = torch.tensor([points.tolist() for points in plain.predict()])
    far = (found - torch.stack([face['landmarks'] for face in expected])).abs().amax(-1) > 5  # of 32 pixels
    assert plain.forward().shape == (2, K, 8, 8) and far.float().mean() < 0.2  # edges are decoded more simply


def test_predictions_in_bf16_are_compared_in_pixels_of_the_crop():
    plain, fast = (predicted_points('facelmk_nano', speed, 2) for speed in (Speed(), Speed('bf16')))
    assert plain.shape[0] == fast.shape[0] == 2 and 0 < (plain - fast).norm(dim=-1).mean() < 0.5
