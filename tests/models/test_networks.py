"""Networks against MMPose 1.3.2: keys, numbers of parameters, and outputs for weights that depend on the keys alone."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from filled import Network, fill, normal_input
from torch import Tensor

HRNET = dict(type='HRNet'), dict(type='HeatmapHead', convs=1)
REGRESSION = dict(type='ResNet'), dict(type='RegressionHead')
NETWORKS = {
    'res50_smoothl1_wflw': (*REGRESSION, 98),
    'res50_wing_wflw': (*REGRESSION, 98),
    'res50_softwing_wflw': (*REGRESSION, 98),
    'hrnetv2_wflw': (*HRNET, 98),
    'hrnetv2_awing_wflw': (*HRNET, 98),
    'hrnetv2_dark_wflw': (*HRNET, 98),
    'hrnetv2_300w': (*HRNET, 68),
    'hrnetv2_cofw': (*HRNET, 29),
    'hrnetv2_aflw': (*HRNET, 19),
    'hrnetv2_dark_aflw': (*HRNET, 19),
    'res50_cocoface': (dict(type='ResNet'), dict(type='HeatmapHead', deconvs=3), 68),
    'mobilenetv2_cocoface': (dict(type='MobileNetV2'), dict(type='HeatmapHead', deconvs=3), 68),
    'hourglass52_cocoface': (dict(type='Hourglass'), dict(type='HourglassHead'), 68),
}
COPIED = Path(__file__).parents[1] / 'data' / 'networks.npz'
TOLERANCE = 1e-5


def relative(actual: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


@cache
def outputs(backbone: str, head: tuple, K: int) -> tuple[list[Tensor], Tensor]:
    """Features and output of the filled network, cached, since several references use it."""
    network = fill(Network(dict(type=backbone), dict(head), K))
    with torch.inference_mode():
        features = network.backbone(normal_input())
        return list(features), network.head(features)[-1]


def numbers_of(name: str) -> tuple[list[np.ndarray], np.ndarray]:
    backbone, head, K = NETWORKS[name]
    features, output = outputs(backbone['type'], tuple(head.items()), K)
    return [feature.numpy() for feature in features], output.numpy()


@pytest.mark.parametrize('name', ['hrnetv2_wflw', 'res50_wing_wflw'])
def test_a_sample_of_the_reference_numbers(name: str) -> None:
    features, output = numbers_of(name)
    with np.load(COPIED) as numbers:
        for i, value in enumerate([*features, output]):
            expected = numbers[f'{name}_{i}']
            assert relative(value.ravel()[numbers[f'{name}_{i}_at']], expected) <= TOLERANCE
            assert abs(value.astype(float).sum() - numbers[f'{name}_{i}_sum']) <= TOLERANCE * np.abs(value).sum()


@pytest.mark.parametrize(
    'name', [pytest.param(name, marks=pytest.mark.slow if 'hourglass' in name else ()) for name in NETWORKS]
)
def test_all_reference_numbers(name: str, shared: Path) -> None:
    features, output = numbers_of(name)
    step = 1 if output.ndim == 3 else 7
    with np.load(shared / 'ref' / f'model_{name}.npz') as numbers:
        for i, feature in enumerate(features):
            cells = feature.shape[-1] // numbers[f'backbone_{i}'].shape[-1]
            assert relative(feature[..., ::cells, ::cells], numbers[f'backbone_{i}']) <= TOLERANCE
            assert abs(feature.astype(float).sum() - numbers[f'backbone_{i}_sum']) <= TOLERANCE * np.abs(feature).sum()
        assert relative(output[:, ::step], numbers['head']) <= TOLERANCE
        assert abs(output.astype(float).sum() - numbers['head_sum']) <= TOLERANCE * np.abs(output).sum()


@pytest.mark.parametrize('name,parameters', [('hrnetv2_wflw', 9_662_528), ('res50_wing_wflw', 23_909_636)])
def test_keys_shapes_and_number_of_parameters(name: str, parameters: int) -> None:
    network = Network(*NETWORKS[name])
    with np.load(COPIED.with_name('keys.npz')) as lists:
        expected = set(lists[name].tolist())
    assert {f'{key} {tuple(value.shape)}' for key, value in network.state_dict().items()} == expected
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize('width', [32, 48])
def test_wider_hrnets_differ_in_width_only(width: int) -> None:
    narrow, wide = (Network(dict(type='HRNet', width=w), HRNET[1], 98).state_dict() for w in (18, width))
    assert narrow.keys() == wide.keys()
    assert wide['head.final_layer.weight'].shape == (98, 15 * width, 1, 1)


@pytest.mark.parametrize('depth,parameters', [(18, 11_176_512), (50, 23_508_032), (101, 42_500_160)])
def test_resnets_have_torchvisions_number_of_parameters(depth: int, parameters: int) -> None:
    backbone = Network(dict(type='ResNet', depth=depth), REGRESSION[1], 1).backbone
    assert sum(p.numel() for p in backbone.parameters()) == parameters  # torchvision's without its classifier


def test_resnet_returns_the_chosen_stages() -> None:
    chosen = Network(dict(type='ResNet', depth=18, out_stages=(2, 4)), dict(type='HeatmapHead'), 5).eval()
    features = chosen.backbone(torch.zeros(1, 3, 64, 64))
    assert [tuple(f.shape[1:]) for f in features] == [(128, 8, 8), (512, 2, 2)]
    assert chosen(torch.zeros(1, 3, 64, 64)).shape == (1, 5, 8, 8)
