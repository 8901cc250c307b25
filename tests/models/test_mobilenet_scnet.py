"""MobileNetV2 and SCNet-50 against MMPose's keys, maps and landmarks, and their behaviour with other sizes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from filled import TOLERANCE, Network, fill, keys, normal_input, relative, share
from landmarkers import coco_face, random, stable
from torch import Tensor

from facelmk.errors import FacelmkError
from facelmk.models.backbones import ResNet, SCNet
from facelmk.models.backbones.scnet import SelfCalibrated
from facelmk.models.landmarker import FaceLandmarker
from facelmk.registry import MODELS

DATA = Path(__file__).parents[1] / 'data'
HEAD = dict(type='HeatmapHead', deconvs=3)


@pytest.fixture(scope='module')
def scnet() -> FaceLandmarker:
    return fill(MODELS.build(dict(type='FaceLandmarker', **coco_face('SCNet'))))


def predict(model: FaceLandmarker, flip: int) -> tuple[np.ndarray, np.ndarray, Tensor]:
    """Landmarks (B, K, 2) and scores (B, K) of two noise images with the identity as warp, and the output."""
    crops = torch.from_numpy(np.stack([(random(10 + i).rand(3, 256, 256) * 255).astype(np.uint8) for i in range(2)]))
    model.flip_test = bool(flip)
    data = model.data_preprocessor(dict(inputs=crops, data_samples=dict(id=[0, 1], warp=torch.eye(3).repeat(2, 1, 1))))
    with torch.inference_mode():
        faces, output = model(**data, mode='predict'), model.output(data['inputs'])
    return np.stack([face['landmarks'] for face in faces]), np.stack([face['scores'] for face in faces]), output


@pytest.mark.parametrize('name,backbone', [('mobilenetv2', 'MobileNetV2'), ('scnet50', 'SCNet')])
def test_mmposes_keys(name: str, backbone: str) -> None:
    with np.load(DATA / 'seed_networks.npz') as numbers:
        assert keys(Network(dict(type=backbone), HEAD, 68)) == set(numbers[f'{name}_keys'].tolist())


def test_a_part_of_mobilenets_numbers() -> None:
    network = fill(Network(dict(type='MobileNetV2'), HEAD, 68))
    with torch.inference_mode(), np.load(DATA / 'seed_networks.npz') as numbers:
        (feature,) = network.backbone(normal_input())
        assert relative(share(feature.numpy()), numbers['mobilenetv2_backbone_0']) <= TOLERANCE
        assert relative(share(network.head((feature,))[-1][:, ::7].numpy()), numbers['mobilenetv2_head']) <= TOLERANCE


@pytest.mark.parametrize('flip', [0, 1])
def test_scnet_predicts_mmposes_landmarks(flip: int, scnet: FaceLandmarker) -> None:
    landmarks, _, output = predict(scnet, flip)
    with np.load(DATA / 'seed_networks.npz') as numbers:
        if not flip:
            assert relative(share(output[:, ::9].numpy()), numbers['scnet50_head0']) <= TOLERANCE
        distance, certain = np.abs(landmarks - numbers[f'scnet50_landmarks{flip}']).max(-1), stable(scnet.codec, output)
    assert distance[certain].max() <= 1e-3 and certain.mean() >= 0.99


@pytest.mark.parametrize('flip', [0, 1])
def test_all_of_scnets_numbers(flip: int, shared: Path, scnet: FaceLandmarker) -> None:
    landmarks, scores, output = predict(scnet, flip)
    with np.load(shared / 'ref' / 'crop_scnet50_cocoface.npz') as numbers:
        if not flip:
            assert tuple(output.shape) == tuple(numbers['head0_shape'])
            assert relative(output[:, ::9].numpy(), numbers['head0']) <= TOLERANCE
            assert abs(output.double().sum().item() - numbers['head0_sum']) <= TOLERANCE * output.abs().sum().item()
        distance = np.abs(landmarks - numbers[f'kpts_flip{flip}']).max(-1)
        assert distance[stable(scnet.codec, output)].max() <= 1e-3 and (distance <= 1e-3).mean() >= 0.99
        assert np.abs(scores - numbers[f'scores_flip{flip}']).max() < 1e-6


def test_the_calibrating_branch_pools_4x4_cells_or_all_of_a_smaller_map() -> None:
    torch.manual_seed(0)
    layer = SelfCalibrated(2, 1, 0.1).eval()
    layer.k3.register_forward_hook(lambda _, inputs, out: torch.ones_like(out))
    gates: list[Tensor] = []
    layer.k4.register_forward_pre_hook(lambda _, inputs: gates.append(inputs[0]))
    for side, view in ((8, 4), (2, 2)):
        x = torch.randn(1, 2, side, side)
        layer(x)
        means = x.unflatten(2, (-1, view)).unflatten(4, (-1, view)).mean((3, 5))
        coarse = layer.k2[1:](means).repeat_interleave(view, 2).repeat_interleave(view, 3)
        assert torch.allclose(gates.pop(), torch.sigmoid(x + coarse), atol=1e-6)


def test_scnet_is_otherwise_a_resnet() -> None:
    network = SCNet(out_stages=(1, 4), frozen_stages=1).eval()
    assert isinstance(network, ResNet) and network.out_channels == (256, 2048)
    assert [feature.shape[-1] for feature in network(torch.zeros(1, 3, 64, 64))] == [16, 2]
    with pytest.raises(FacelmkError, match='SCNet: depth=18.* 50, 101'):
        SCNet(depth=18)
