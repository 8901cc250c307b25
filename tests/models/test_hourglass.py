"""Adaptive Wing's stacked hourglass and MMPose's hourglass-52 against their published keys, sizes and numbers.

`tests/data/seed_networks.npz` holds a part of the reference numbers. If the reference folder exists, all are compared.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from filled import TOLERANCE, Network, fill, keys, normal_input, relative, share
from torch import Tensor, nn

from facelmk.datasets import SyntheticFaces, collate_faces
from facelmk.errors import FacelmkError
from facelmk.models.backbones import Hourglass, StackedHourglass
from facelmk.models.backbones.stacked_hourglass import CoordConv
from facelmk.models.heads import StackHead
from facelmk.registry import MODELS

DATA = Path(__file__).parents[1] / 'data'
SLOW = pytest.mark.slow
SWITCHES = ('coordinates', 'radius', 'attention')


def small(**options) -> StackedHourglass:
    torch.manual_seed(0)
    return StackedHourglass(**dict(maps=6, stacks=2, width=16) | options).eval()


def images(size: int = 64) -> Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))


@cache
def official(points: int) -> dict[str, np.ndarray]:
    """The outputs of the authors' network of 4 stacks for noise, with relu=True as in the reference."""
    network = fill(StackedHourglass(points + 1))
    with torch.inference_mode():
        stages = network(torch.from_numpy(np.random.RandomState(0).rand(2, 3, 256, 256)).float())
    return {f'stage{i}': stage.numpy() for i, stage in enumerate(stages)}


def test_a_part_of_the_authors_numbers() -> None:
    actual = official(98)
    with np.load(DATA / 'seed_networks.npz') as numbers:
        for name, stage in actual.items():
            assert relative(share(stage[:, ::9]), numbers[f'awing_fan4_98_{name}']) <= TOLERANCE
        assert relative(share(actual['stage3'][:, -1]), numbers['awing_fan4_98_last_channel']) <= TOLERANCE


@pytest.mark.parametrize('points', [98, pytest.param(68, marks=SLOW)])
def test_all_of_the_authors_numbers(points: int, shared: Path) -> None:
    actual = official(points)
    with np.load(shared / 'ref' / f'model_awing_fan4_{points}.npz') as numbers:
        assert {name.removesuffix('_sum') for name in numbers} == {*actual, 'last_channel'}
        for name, stage in actual.items():
            assert relative(stage[:, ::9], numbers[name]) <= TOLERANCE
            assert abs(stage.astype(float).sum() - numbers[f'{name}_sum']) <= TOLERANCE * np.abs(stage).sum()
        assert relative(actual['stage3'][:, -1], numbers['last_channel']) <= TOLERANCE


def test_the_authors_keys_and_numbers_of_parameters() -> None:
    network = StackedHourglass(maps=99)
    with np.load(DATA / 'keys.npz') as lists:
        assert keys(network) == set(lists['adaptive_wing'].tolist())
    counts = [sum(p.numel() for p in StackedHourglass(99, stacks).parameters()) for stacks in (1, 2, 3)]
    assert [round(count / 1e6, 2) for count in counts] == [6.33, 12.27, 18.21]
    assert sum(p.numel() for p in network.parameters()) == 24_153_036
    assert sum(p.numel() for p in StackedHourglass(maps=69).parameters()) == 24_099_156


def test_coordconv_adds_y_x_radius_and_both_on_the_boundary() -> None:
    layer = CoordConv(1, 6, 1, attention=True)
    nn.init.zeros_(layer.conv.bias)
    layer.conv.weight.data = torch.eye(6)[:, :, None, None]  # the output is the input of the convolution
    boundary = torch.zeros(1, 1, 3, 5)
    boundary[..., 0, 1], boundary[..., 2, 4] = 0.06, 0.05  # only the first one is a line
    inputs = layer(torch.full((1, 1, 3, 5), 7.0), boundary)[0].detach().numpy()
    down, across = np.mgrid[-1:1:3j, -1:1:5j]
    on_boundary = np.zeros((3, 5))
    on_boundary[0, 1] = 1
    expected = [
        np.full((3, 5), 7.0),
        down,
        across,
        np.hypot(down, across) / 2**0.5,
        down * on_boundary,
        across * on_boundary,
    ]
    np.testing.assert_allclose(inputs, expected, atol=1e-6)


@pytest.mark.parametrize('enabled', [(), ('coordinates',), ('radius', 'attention'), SWITCHES])
def test_each_switch_adds_its_channels(enabled: tuple[str, ...]) -> None:
    network = small(**{name: name in enabled for name in SWITCHES})
    extra = 2 * ('coordinates' in enabled) + ('radius' in enabled)
    assert network.conv1.conv.in_channels == 3 + extra
    assert network.m0.coordconv.conv.in_channels == 16 + extra  # the first hourglass has no boundary input
    assert network.m1.coordconv.conv.in_channels == 16 + extra + 2 * ('attention' in enabled)
    assert [stage.shape for stage in network(images())] == [(2, 6, 16, 16)] * 2


@pytest.mark.parametrize('attention', [True, False])
def test_a_later_stack_uses_the_boundary_map_of_the_one_before(attention: bool) -> None:
    network = small(attention=attention)
    nn.init.zeros_(network.al0.weight)  # the other path from the maps
    actual = []
    with torch.no_grad():
        for height in (-9.0, 9.0):  # no boundary, boundaries everywhere
            network.l0.bias[-1] = height
            actual.append(network(images())[1])
    assert torch.equal(*actual) is not attention


def test_relu_applies_to_each_stage_and_to_the_input_of_the_next() -> None:
    without_relu, with_relu = (network(images()) for network in (small(relu=False), small()))
    assert torch.equal(with_relu[0], without_relu[0].relu()) and without_relu[0].min() < 0 <= with_relu[1].min()
    assert not torch.allclose(with_relu[1], without_relu[1].relu())


@pytest.mark.parametrize('size', [32, 96, 128])
def test_crops_of_any_size_dtype_and_device(size: int) -> None:
    network = small()
    assert [stage.shape for stage in network(images(size))] == [(2, 6, size // 4, size // 4)] * 2
    assert network.double()(images(size).double())[1].dtype == torch.float64
    elsewhere = network.float().to('meta')(images(size).to('meta'))[1]  # a sum of tensors on two devices would raise
    assert elsewhere.device.type == 'meta'


@pytest.mark.parametrize(
    'options,word',
    [(dict(stacks=5), 'stacks=5'), (dict(stacks=0), 'stacks=0'), (dict(stacks=1, frozen_stages=2), 'frozen_stages=2')],
)
def test_impossible_options_are_refused_by_value(options: dict, word: str) -> None:
    with pytest.raises(FacelmkError, match=word):
        small(**options)


def test_a_wrong_number_of_maps_is_refused() -> None:
    stages = (torch.zeros(1, 6, 4, 4), torch.ones(1, 6, 4, 4))
    head = StackHead(small().out_channels, 6)
    assert all(ours is theirs for ours, theirs in zip(head(stages), stages, strict=True))
    assert not list(head.parameters())
    for widths in ((6, 6), (7, 6), (2048,)):
        with pytest.raises(FacelmkError, match=rf'\({widths[0]}.* 7'):
            StackHead(widths, 7)


@pytest.mark.slow
def test_it_learns_two_faces() -> None:
    """The loss falls below that of empty maps."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='FaceLandmarker',
            size=64,
            backbone=dict(type='StackedHourglass', stacks=1),
            head=dict(type='StackHead'),
            codec=dict(type='Boundary'),
            loss=dict(type='AdaptiveWingLoss'),
        )
    ).train()
    pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
    data = SyntheticFaces('wflw', 2, seed=7, size=64, pipeline=pipeline)
    batch = model.data_preprocessor(collate_faces([data[0], data[1]]), True)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    truth, (term,) = batch['data_samples'], model.terms.values()
    losses = [term([torch.zeros(2, 99, 16, 16)], truth['points'], truth['visible'], 64).item()]
    for _ in range(25):
        (loss,) = model(**batch, mode='loss').values()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    empty, first, *_, last = losses
    assert last < first / 5 and last < empty


def test_hourglass_52_has_mmposes_keys_and_a_part_of_its_numbers() -> None:
    network = fill(Network(dict(type='Hourglass'), dict(type='HourglassHead'), 68))
    with torch.inference_mode(), np.load(DATA / 'seed_networks.npz') as numbers:
        assert keys(network) == set(numbers['hourglass52_keys'].tolist())
        (feature,) = network.backbone(normal_input())
        (output,) = network.head((feature,))
        assert relative(share(feature[..., ::4, ::4].numpy()), numbers['hourglass52_backbone_0']) <= TOLERANCE
        assert relative(share(output[:, ::7].numpy()), numbers['hourglass52_head']) <= TOLERANCE


def test_weights_that_only_mmposes_file_holds_are_no_parameters() -> None:
    network = Hourglass()
    assert {key for key in network.state_dict() if key.startswith('inters')}
    assert not [key for key, _ in network.named_parameters() if key.startswith('inters')]
