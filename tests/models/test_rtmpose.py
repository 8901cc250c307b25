"""RTMPose in three sizes against MMPose 1.3.2: keys, rows, points; and its loss by hand.

`tests/data/rtmpose.npz` holds all keys and a part of the smallest network's numbers.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from filled import fill
from torch import Tensor, nn

from facelmk.errors import FacelmkError
from facelmk.registry import BACKBONES, HEADS, LOSSES, MODELS

COPIED = Path(__file__).parents[1] / 'data' / 'rtmpose.npz'
SIZES = {'t_face6': (0.167, 0.375, 'lapa'), 's_face6': (0.33, 0.5, 'lapa'), 'm_wflw': (0.67, 0.75, 'wflw')}
TOLERANCE = 1e-5


def build(name: str, size: int = 256) -> nn.Module:
    deepen, widen, markup = SIZES[name]
    return MODELS.build(
        dict(
            type='FaceLandmarker',
            backbone=dict(type='CSPNeXt', deepen=deepen, widen=widen),
            head=dict(type='RTMCCHead'),
            codec=dict(type='SimCC', sigma=5.66, aligned=False),
            loss=dict(type='KLDiscretLoss'),
            markup=markup,
            size=size,
        )
    )


@cache
def outputs(name: str) -> tuple[nn.Module, tuple[Tensor, Tensor]]:
    """The filled network and its output for two crops of noise, without flip test and with it."""
    model = fill(build(name))
    crops = [(np.random.RandomState(10 + i).rand(3, 256, 256) * 255).astype(np.uint8) for i in range(2)]
    inputs = model.data_preprocessor(dict(inputs=torch.from_numpy(np.stack(crops))))['inputs']
    actual = []
    for model.flip_test in (False, True):
        with torch.no_grad():
            actual.append(model.output(inputs))
    return model, tuple(actual)


def relative(actual: Tensor, expected: np.ndarray) -> float:
    return float(np.abs(actual.numpy() - expected).max() / np.abs(expected).max())


def assert_points(name: str, numbers: np.lib.npyio.NpzFile, flip: int) -> None:
    """All points except ties equal MMPose's. In a tie, MMPose's bin is as high as ours up to rounding.

    The rows of these random networks hardly depend on the image. In the middle of the face, the mean of a row and its
    mirrored row has two equal maxima. With the reference's number of threads, all points are the same.
    """
    model, stages = outputs(name)
    output, expected = stages[flip], torch.from_numpy(numbers[f'kpts_flip{flip}'])
    points, scores = model.codec.decode(output, 256)
    assert relative(scores, numbers[f'scores_flip{flip}']) <= TOLERANCE
    at_theirs = output.gather(-1, (expected * 2).round().long()[..., None])[..., 0]
    assert (output.amax(-1) - at_theirs).max() <= 2e-6 * output.abs().max()
    differs = (points - expected).abs().amax(-1) > 1e-3
    assert not differs[:, (model.mirror != torch.arange(len(model.mirror)))].any()
    assert (not flip and not differs.any()) or (flip and differs.float().mean() < 0.12)


@pytest.mark.parametrize('name', SIZES)
def test_all_reference_numbers(name: str, shared: Path) -> None:
    _, (output, _) = outputs(name)
    with np.load(shared / 'ref' / f'crop_rtmpose_{name}.npz') as numbers:
        for i in range(2):
            axis = output[:, :, i]
            assert axis.shape == tuple(numbers[f'head{i}_shape'])
            assert relative(axis[:, ::9], numbers[f'head{i}']) <= TOLERANCE
            assert abs(axis.double().sum() - numbers[f'head{i}_sum']) <= TOLERANCE * axis.abs().sum()
            assert_points(name, numbers, i)


def test_a_part_of_the_reference_numbers() -> None:
    _, (output, _) = outputs('t_face6')
    with np.load(COPIED) as numbers:
        for i in range(2):
            axis = output[:, :, i]
            assert relative(axis[:, ::45], numbers[f'head{i}']) <= TOLERANCE
            assert abs(axis.double().sum() - numbers[f'head{i}_sum']) <= TOLERANCE * axis.abs().sum()
            assert_points('t_face6', numbers, i)


@pytest.mark.parametrize(
    ('name', 'parameters'), [('t_face6', 5_048_584), ('s_face6', 7_743_036), ('m_wflw', 16_672_748)]
)
def test_keys_shapes_and_number_of_parameters(name: str, parameters: int) -> None:
    model = build(name)
    with np.load(COPIED) as lists:
        shapes = dict(line.split(' ', 1) for line in lists[f'{name}_keys'].tolist())
    assert {key: str(tuple(value.shape)) for key, value in model.state_dict().items()} == shapes
    counted = sum(
        np.prod([int(n) for n in shape.strip('()').split(',') if n.strip()], dtype=int)
        for key, shape in shapes.items()
        if 'running_' not in key and 'num_batches' not in key
    )
    assert sum(p.numel() for p in model.parameters()) == counted == parameters


@pytest.mark.parametrize('size', [64, 96])
def test_smaller_crops_have_fewer_cells_and_bins(size: int) -> None:
    model = build('t_face6', size).eval()
    with torch.no_grad():
        assert model(torch.randn(1, 3, size, size))[-1].shape == (1, 106, 2, 2 * size)
    assert model.head.mlp[1].in_features == (size // 32) ** 2


def test_rows_learn_their_target() -> None:
    torch.manual_seed(0)
    model = build('t_face6', 64).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4)
    points = torch.rand(4, 106, 2) * 40 + 12
    data = dict(points=points, visible=torch.ones(4, 106))
    inputs, losses = torch.randn(4, 3, 64, 64), []
    for _ in range(18):
        loss = model.loss(inputs, data)['loss_kldiscret']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_a_codec_without_bins_is_refused() -> None:
    with pytest.raises(FacelmkError, match='bins=None.*SimCC'):
        HEADS.build(dict(type='RTMCCHead', in_channels=(8,), out_channels=5, size=64, bins=None))
    with pytest.raises(FacelmkError, match='out_stages=\\(5,\\)'):
        BACKBONES.build(dict(type='CSPNeXt', out_stages=(5,)))


def test_stages_of_cspnext_have_strides_4_to_32() -> None:
    backbone = BACKBONES.build(dict(type='CSPNeXt', deepen=0.167, widen=0.375, out_stages=(1, 2, 3, 4))).eval()
    features = backbone(torch.zeros(1, 3, 64, 64))
    assert [tuple(f.shape[1:]) for f in features] == [(48, 16, 16), (96, 8, 8), (192, 4, 4), (384, 2, 2)]


def test_divergence_by_hand() -> None:
    """Two bins: logits (0, 0) are probabilities of 1/2. The divergence is ln 2 - H(p); half of it is the mean over bins."""
    loss = LOSSES.build(dict(type='KLDiscretLoss', beta=1.0, softmax=False))
    output, target = torch.zeros(3, 2, 2, 2), torch.tensor([0.25, 0.75]).expand(3, 2, 2, 2)
    half = (np.log(2) + 0.25 * np.log(0.25) + 0.75 * np.log(0.75)) / 2
    assert loss(output, target).item() == pytest.approx(3 * 2 * half, rel=1e-6)  # three faces, two sides
    weight = torch.tensor([1.0, 0.5]).expand(3, 2)[..., None, None]
    assert loss(output, target, weight).item() == pytest.approx(3 * 2 * 0.75 * half, rel=1e-6)


def test_divergence_of_softened_rows_is_mmposes_formula() -> None:
    output, target = torch.randn(2, 5, 2, 16), torch.rand(2, 5, 2, 16)
    weight, total = torch.rand(2, 5), 0.0
    for i in range(2):
        actual = torch.log_softmax(output[:, :, i].reshape(-1, 16) * 10, 1)
        expected = torch.softmax(target[:, :, i].reshape(-1, 16) * 7, 1)
        rows = nn.KLDivLoss(reduction='none')(actual, expected).mean(1)
        total = total + (rows * weight.reshape(-1)).sum()
    loss = LOSSES.build(dict(type='KLDiscretLoss', beta=10.0, label_beta=7.0))
    torch.testing.assert_close(loss(output, target, weight[..., None, None]), total / 5)
    assert not loss.comparable and LOSSES.build(dict(type='KLDiscretLoss')).comparable
