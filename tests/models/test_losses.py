"""Losses: laws of all of them, MMPose's numbers, and values computed by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from facelmk.models.losses.adaptive_wing_loss import adaptive_wing
from facelmk.models.losses.soft_wing_loss import soft_wing
from facelmk.models.losses.wing_loss import wing
from facelmk.registry import LOSSES

COPIED = Path(__file__).parents[1] / 'data' / 'losses.npz'
OF_BOXES = {'BoxMapsLoss'}  # its five maps are not points: test_box_maps_loss.py has the law of weights for it
NAMES = list(LOSSES)
COORDINATES = {'wing': 'WingLoss', 'softwing': 'SoftWingLoss', 'smoothl1': 'SmoothL1Loss', 'l1': 'L1Loss'}
MAPS = {'kpmse': 'HeatmapMSELoss', 'awing': 'AdaptiveWingLoss'}
MAP_FORMS = [('kpmse', ''), ('kpmse', '_now'), ('kpmse', '_mask'), ('awing', ''), ('awing', '_now')]
# the other rows of the reference: our loss and its options
OTHERS = {
    'wing_px': ('WingLoss', {}),
    'softwing2': ('SoftWingLoss', {}),
    'mse': ('HeatmapMSELoss', {}),
    'softweightsmoothl1': ('SmoothL1Loss', {}),
    'kpmse_skip': ('HeatmapMSELoss', {}),
    'ohkm': ('OHKMLoss', dict(topk=4)),
    'focal': ('FocalHeatmapLoss', dict(steepness=None, peak=1.0)),
}
TOLERANCE = 1e-5


def sample(shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(shape, generator=generator), torch.rand(shape, generator=generator)


def gradient(
    loss: torch.nn.Module, output: Tensor, target: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    output = output.clone().requires_grad_()
    value = loss(output, target, weight)
    value.backward()
    return value.detach(), output.grad


def relative(actual: Tensor, expected: np.ndarray) -> float:
    return float(np.abs(actual.numpy() - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize('name', NAMES)
def test_least_where_output_and_target_are_equal(name: str) -> None:
    loss = LOSSES.build(dict(type=name))
    if not loss.comparable:
        pytest.skip(f'{name}: output and target do not mean the same')
    output, target = sample((2, 5, 8, 8))
    equal = loss(target, target)
    assert equal == 0
    for share in (0.01, 0.1, 1.0):
        assert loss(target + share * (output - target), target) > equal


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('form', ['constant', 'one-hot', 'uniform'])
def test_gradients_are_finite(name: str, form: str) -> None:
    target = torch.zeros(2, 5, 8, 8)
    target[..., 3, 4] = 1.0
    output = {
        'constant': torch.zeros_like(target),
        'one-hot': target.clone(),
        'uniform': torch.full_like(target, 1 / 64),
    }[form]
    for weight in (None, torch.ones(2, 5, 1, 1), torch.zeros(2, 5, 1, 1)):
        value, slope = gradient(LOSSES.build(dict(type=name)), output, target, weight)
        assert value.isfinite() and slope.isfinite().all()


@pytest.mark.parametrize('name', [name for name in NAMES if name not in OF_BOXES])
@pytest.mark.parametrize('shape', [(2, 5, 8, 8), (2, 5, 2)])
def test_points_of_weight_zero_do_not_change_the_loss(name: str, shape: tuple[int, ...]) -> None:
    shape = (2, 5, 4) if name == 'RLELoss' else shape  # x, y and their spreads
    loss, (output, target) = LOSSES.build(dict(type=name)), sample(shape)
    weight = torch.ones(2, 5, *[1] * (len(shape) - 2))
    weight[:, 3] = 0
    value, slope = gradient(loss, output, target, weight)
    assert value > 0 and slope[:, 3].abs().max() == 0 and slope[:, 2].abs().max() > 0
    output[:, 3] += 7
    assert loss(output, target, weight) == value


@pytest.mark.parametrize('name', COORDINATES)
def test_coordinate_losses_are_mmposes(name: str) -> None:
    with np.load(COPIED) as numbers:
        pred, target, weight = (torch.from_numpy(numbers[key]) for key in ('pred', 'tgt', 'w'))
        loss = LOSSES.build(dict(type=COORDINATES[name]))
        for form, arguments in {
            '': (pred, target, weight),
            '_now': (pred, target),
            '_x256': (pred * 256, target * 256, weight),
        }.items():
            value, slope = gradient(loss, *arguments)
            assert abs(value / numbers[name + form] - 1) <= TOLERANCE
            assert relative(slope, numbers[f'{name}{form}_grad']) <= TOLERANCE
        if hasattr(loss, 'scale'):
            value, slope = gradient(LOSSES.build(dict(type=COORDINATES[name], scale=256.0)), pred, target, weight)
            assert abs(value / numbers[f'{name}_x256'] - 1) <= TOLERANCE
            assert relative(slope / 256, numbers[f'{name}_x256_grad']) <= TOLERANCE


@pytest.mark.parametrize('name', ['wing', 'softwing'])
def test_the_complete_curve_is_mmposes(name: str) -> None:
    """Errors from -20 to 20 pixels: both pieces of the loss and the transition between them."""
    with np.load(COPIED) as numbers:
        error = torch.from_numpy(np.linspace(-20, 20, 401, dtype=np.float32))[None, :, None]
        value, slope = gradient(LOSSES.build(dict(type=COORDINATES[name])), error, torch.zeros_like(error))
        assert abs(value / numbers[f'{name}_curve_sum'] - 1) <= TOLERANCE
        assert relative(slope, numbers[f'{name}_curve_sum_grad']) <= TOLERANCE


def map_weight(numbers: np.lib.npyio.NpzFile, form: str) -> Tensor | None:
    weight = torch.from_numpy(numbers['hw'])[..., None, None]
    return {'': weight, '_now': None, '_mask': weight * torch.from_numpy(numbers['hmask'])}[form]


@pytest.mark.parametrize('name,form', MAP_FORMS)
def test_heatmap_gradients_are_mmposes(name: str, form: str) -> None:
    """The copy holds one cell of 64, so the gradient of its mean is 64 times the reference's."""
    with np.load(COPIED) as numbers:
        arguments = torch.from_numpy(numbers['hp']), torch.from_numpy(numbers['ht']), map_weight(numbers, form)
        _, slope = gradient(LOSSES.build(dict(type=MAPS[name])), *arguments)
        assert relative(slope / 64, numbers[f'{name}{form}_grad']) <= TOLERANCE


@pytest.mark.parametrize('name,form', MAP_FORMS)
def test_heatmap_losses_are_mmposes(name: str, form: str, shared: Path) -> None:
    with np.load(shared / 'ref' / 'losses.npz') as numbers:
        arguments = torch.from_numpy(numbers['hp']), torch.from_numpy(numbers['ht']), map_weight(numbers, form)
        value, slope = gradient(LOSSES.build(dict(type=MAPS[name])), *arguments)
        assert abs(value / numbers[name + form] - 1) <= TOLERANCE
        assert relative(slope[..., ::4, ::4], numbers[f'{name}{form}_grad']) <= TOLERANCE
        assert abs(slope.double().norm() / numbers[f'{name}{form}_gradnorm'] - 1) <= TOLERANCE


def test_wing_by_hand() -> None:
    """10 ln(1 + |x| / 2) below 10, |x| + 7.917594692 above."""
    errors = torch.tensor([0.01, 0.1, 1.0, 2.0, 5.0, 10.0, 20.0], dtype=torch.float64)
    expected = [0.049875, 0.487902, 4.054651, 6.931472, 12.527630, 17.917595, 27.917595]
    np.testing.assert_allclose(wing(errors, 10, 2).numpy(), expected, atol=5e-7)
    np.testing.assert_allclose(wing(-errors, 10, 2).numpy(), expected, atol=5e-7)
    assert math.isclose(wing(torch.tensor(10.0), 10, 2), 10 * math.log(6), rel_tol=1e-6)


def test_soft_wing_by_hand() -> None:
    """|x| below 2, 20 ln(1 + |x| / 0.5) + 2 - 20 ln 5 above."""
    errors = torch.tensor([0.01, 1.0, 2.0, 5.0, 20.0], dtype=torch.float64)
    np.testing.assert_allclose(soft_wing(errors, 2, 20, 0.5).numpy(), [0.01, 1.0, 2.0, 17.769150, 44.082680], atol=5e-6)


@pytest.mark.parametrize(
    'target,expected',
    [
        (0.0, [0.025916, 0.110766, 1.074747, 2.935235, 8.495945]),
        (0.2, [0.047146, 0.175149, 1.353612, 3.323547, 8.944692]),
        (0.5, [0.115528, 0.347319, 1.903953, 3.991210, 9.547546]),
        (0.8, [0.282102, 0.684645, 2.657731, 4.771740, 10.028378]),
        (1.0, [0.509412, 1.070101, 3.301746, 5.360458, 10.259382]),
    ],
)
def test_adaptive_wing_by_hand(target: float, expected: list[float]) -> None:
    errors = torch.tensor([0.05, 0.1, 0.3, 0.5, 1.0], dtype=torch.float64)
    actual = adaptive_wing(errors, torch.full_like(errors, target), 2.1, 14, 1, 0.5)
    np.testing.assert_allclose(actual.numpy(), expected, atol=1e-6)


def test_reductions() -> None:
    """Wing losses sum over a face, the others average: twice the points give twice or once the loss."""
    output, target = sample((3, 4, 2))
    for name, factor in (('WingLoss', 2), ('SoftWingLoss', 2), ('L1Loss', 1), ('SmoothL1Loss', 1)):
        loss = LOSSES.build(dict(type=name))
        twice = loss(output.repeat(1, 2, 1), target.repeat(1, 2, 1))
        torch.testing.assert_close(twice, factor * loss(output, target))


def test_mean_square_by_hand() -> None:
    output, target = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]]), torch.zeros(1, 2, 1, 2)
    loss = LOSSES.build(dict(type='HeatmapMSELoss'))
    assert loss(output, target) == (1 + 4 + 9 + 16) / 4
    assert loss(output, target, torch.tensor([0.0, 2.0])[None, :, None, None]) == 2 * (9 + 16) / 4


@pytest.mark.parametrize('name', OTHERS)
def test_the_other_losses_are_mmposes(name: str, shared: Path) -> None:
    """Focal loss: without weights, for probabilities from .01 to .99; no map of the reference has a peak of 1."""
    kind, options = OTHERS[name]
    with np.load(shared / 'ref' / 'losses.npz') as numbers:
        pred, target, weight = (torch.from_numpy(numbers[key]) for key in ('pred', 'tgt', 'w'))
        forms = {'': (pred, target, weight), '_now': (pred, target), '_x256': (pred * 256, target * 256, weight)}
        if name in ('kpmse_skip', 'ohkm', 'focal'):
            maps = [torch.from_numpy(numbers[key]) for key in ('hp', 'ht')]
            forms = {'': (maps[0].clamp(0.01, 0.99), maps[1]) if name == 'focal' else (*maps, map_weight(numbers, ''))}
        for form, arguments in forms.items():
            value, slope = gradient(LOSSES.build(dict(type=kind, **options)), *arguments)
            assert abs(value / numbers[name + form] - 1) <= TOLERANCE
            assert abs(slope.double().norm() / numbers[f'{name}{form}_gradnorm'] - 1) <= TOLERANCE
            expected = numbers[f'{name}{form}_grad']
            assert relative(slope[..., ::4, ::4] if slope.dim() == 4 else slope, expected) <= TOLERANCE


def test_each_array_of_the_reference_is_compared_somewhere(shared: Path) -> None:
    with np.load(shared / 'ref' / 'losses.npz') as numbers:
        values = {key for key in numbers if key + '_grad' in numbers}
        read = {*OTHERS, *COORDINATES, *MAPS}
        forms = ('', '_now', '_x256', '_mask', '_curve_sum')
        assert values <= {name + form for name in read for form in forms}
        assert set(numbers) - values <= {'pred', 'tgt', 'w', 'hp', 'ht', 'hw', 'hmask'} | {
            value + end for value in values for end in ('_grad', '_gradnorm')
        }
