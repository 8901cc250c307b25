"""FaceLandmarker against MMPose's predictions, losses and gradients for the same weights and pictures.

`tests/data/predictions.npz` holds a part of three networks' numbers. If the reference folder exists, all numbers of its
thirteen networks are compared.
"""

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from landmarkers import coco_face, heatmaps, random, stable

from facelmk import geometry
from facelmk.registry import MODELS

COPIED = Path(__file__).parents[1] / 'data' / 'predictions.npz'


def regression(loss):
    return dict(
        backbone=dict(type='ResNet', depth=50),
        head=dict(type='RegressionHead'),
        markup='wflw',
        codec=dict(type='Coordinates'),
        loss=dict(type=loss),
    )


CELL, DARK = dict(centre='cell'), dict(centre='exact', refine='dark')
ROWS = {
    'hrnetv2_wflw': heatmaps('wflw', **CELL),
    'hrnetv2_awing_wflw': heatmaps('wflw', 'AdaptiveWingLoss', **CELL),
    'hrnetv2_dark_wflw': heatmaps('wflw', **DARK),
    'hrnetv2_300w': heatmaps('300w', sigma=1.5, **CELL),
    'hrnetv2_aflw': heatmaps('aflw', **CELL),
    'hrnetv2_cofw': heatmaps('cofw', sigma=1.5, **CELL),
    'hrnetv2_dark_aflw': heatmaps('aflw', **DARK),
    'res50_smoothl1_wflw': regression('SmoothL1Loss'),
    'res50_wing_wflw': regression('WingLoss'),
    'res50_softwing_wflw': regression('SoftWingLoss'),
    'mobilenetv2_cocoface': coco_face('MobileNetV2'),
    'res50_cocoface': coco_face('ResNet'),
    'hourglass52_cocoface': coco_face('Hourglass', dict(type='HourglassHead')),
}
QUICK = ('hrnetv2_dark_aflw', 'res50_wing_wflw', 'mobilenetv2_cocoface')
CASES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ROWS]


def fill(model):
    """Set weights that depend on their key and shape alone, as in the reference."""
    state = {}
    for key, value in model.state_dict().items():
        draw, shape = random(zlib.crc32(key.encode())), value.shape
        if key.endswith('num_batches_tracked'):
            filled = np.zeros(shape)
        elif key.endswith('running_var'):
            filled = (draw.rand(*shape) + 0.5) * 4
        elif key.endswith('running_mean'):
            filled = draw.randn(*shape) * 0.1
        elif value.ndim >= 2:
            filled = draw.randn(*shape) * np.sqrt(1 / np.prod(shape[1:]))
        else:
            filled = draw.rand(*shape) * 0.5 + 0.75 if key.endswith('weight') else draw.randn(*shape) * 0.05
        state[key] = torch.as_tensor(np.asarray(filled), dtype=value.dtype).reshape(shape)
    model.load_state_dict(state)
    return model.eval()


def batch(size):
    """Two crops of noise, uint8 BGR, with the warps of their boxes; some points are outside."""
    crops = torch.from_numpy(np.stack([(random(10 + i).rand(3, 256, 256) * 255).astype(np.uint8) for i in range(2)]))
    boxes = [[168 + i - 160, 178 - 160, 168 + i + 160, 178 + 160] for i in range(2)]
    draw = random(5)
    points = (draw.rand(2, size, 2) * 240 + 8).astype(np.float32)
    visible = (draw.rand(2, size) > 0.15).astype(np.float32)
    points[:, :5] = [[-30, 10], [276, 128], [0, 0], [255, 255], [2.5, 100.25]]
    visible[:, 2:5] = 1
    return dict(
        inputs=crops,
        data_samples=dict(
            id=[0, 1],
            warp=torch.from_numpy(np.stack([geometry.box_to_crop(box, 256) for box in boxes])),
            points=torch.from_numpy(points),
            visible=torch.from_numpy(visible),
        ),
    )


@pytest.fixture(scope='module')
def network():
    """Build the network of a row with its weights, and cache the last one."""
    built = {}

    def build(name):
        if name not in built:
            built.clear()
            built[name] = fill(MODELS.build(dict(type='FaceLandmarker', **ROWS[name])))
        return built[name]

    return build


def predict(model, flip):
    """Landmarks (B, K, 2), scores (B, K), and whether each point (B, K) is independent of rounding."""
    model.flip_test = bool(flip)
    data = model.data_preprocessor(batch(model.markup.size))
    with torch.no_grad():
        faces, output = model(**data, mode='predict'), model.output(data['inputs'])
    assert [face['id'] for face in faces] == [0, 1]
    return (
        np.stack([face['landmarks'] for face in faces]),
        np.stack([face['scores'] for face in faces]),
        stable(model.codec, output),
    )


@pytest.mark.parametrize('flip', [0, 1])
@pytest.mark.parametrize('name', CASES)
def test_predictions_are_those_of_mmpose(name, flip, shared, network):
    reference = np.load(shared / 'ref' / f'model_{name}.npz')
    landmarks, scores, certain = predict(network(name), flip)
    distance = np.abs(landmarks - reference[f'pred_kpts_flip{flip}']).max(-1)
    flat = 'dark' in name or 'mobilenet' in name  # in noise, their maxima are nearly equal
    assert distance[certain].max() <= 1e-3 and certain.mean() >= (0.85 if flat else 0.99)
    assert (distance <= 1e-3).mean() >= (0.94 if 'mobilenet' in name else 0.97)  # whatever the rounding
    assert np.abs(scores - reference[f'pred_scores_flip{flip}']).max() < 1e-6


@pytest.mark.parametrize('name', CASES)
def test_losses_and_gradients_are_those_of_mmpose(name, shared, network):
    reference = np.load(shared / 'ref' / f'model_{name}.npz')
    model = network(name)
    data = model.data_preprocessor(batch(model.markup.size))
    expected = reference['preproc']
    assert np.abs(data['inputs'][..., ::8, ::8].numpy() - expected).max() <= 1e-6 * np.abs(expected).max()
    (loss,) = model(**data, mode='loss').values()
    assert loss.item() == pytest.approx(float(reference['loss_loss_kpt']), rel=1e-5)
    model.zero_grad()
    loss.backward()
    norms = dict(zip(reference['grad_keys'].tolist(), reference['grad_norms'].tolist(), strict=True))
    actual = {key: parameter.grad.double().norm().item() for key, parameter in model.named_parameters()}
    assert actual.keys() == norms.keys()
    assert max(abs(actual[key] - norms[key]) for key in norms) <= 1e-5 * max(norms.values())


@pytest.mark.parametrize('flip', [0, 1])
@pytest.mark.parametrize('name', QUICK)
def test_predictions_agree_with_the_copied_part(name, flip, network):
    """The same without the reference folder."""
    reference = np.load(COPIED)
    landmarks, scores, certain = predict(network(name), flip)
    distance = np.abs(landmarks - reference[f'{name}_landmarks{flip}']).max(-1)
    assert distance[certain].max() < 1e-3 and certain.mean() > 0.85
    assert np.abs(scores[:, ::5] - reference[f'{name}_scores{flip}']).max() < 1e-6
