"""Losses of heatmaps by hand: weighted cells, the hardest maps, peaks, soft-argmax."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import grey_dilation

from facelmk.errors import FacelmkError, UnknownName
from facelmk.models.losses.adaptive_wing_loss import adaptive_wing
from facelmk.models.losses.integral_loss import expected_cells
from facelmk.registry import LOSSES


def gradient(loss: torch.nn.Module, output: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    output = output.clone().requires_grad_()
    value = loss(output, target)
    value.backward()
    return value.detach(), output.grad


def test_cells_near_peaks_weigh_more() -> None:
    """A target with one cell of .3: nine cells have weight 11, those of an empty map 1; .3 is below .5."""
    target = torch.zeros(1, 2, 7, 7)
    target[0, 0, 3, 3] = 0.3
    output = torch.full_like(target, 0.1)
    target[0, 1, 0, 0] = 0.1  # this peak is too low
    plain = LOSSES.build(dict(type='AdaptiveWingLoss'))
    cells = adaptive_wing(target - output, target, 2.1, 14, 1, 0.5)
    empty = float(adaptive_wing(torch.tensor(0.1), torch.tensor(0.0), 2.1, 14, 1, 0.5))
    assert empty == pytest.approx(0.110766, abs=1e-6)
    near_peak = cells[0, 0, 2:5, 2:5].sum()
    loss = LOSSES.build(dict(type='AdaptiveWingLoss', weight_map=dict(threshold=0.2, weight=10, dilation=3)))
    assert loss(output, target).item() == pytest.approx(float(plain(output, target) + 10 * near_peak / 98), rel=1e-6)
    assert near_peak.item() == pytest.approx(8 * empty + float(cells[0, 0, 3, 3]), rel=1e-6)
    assert LOSSES.build(dict(type='AdaptiveWingLoss', weight_map={}))(output, target) == loss(output, target)
    higher = LOSSES.build(dict(type='AdaptiveWingLoss', weight_map=dict(threshold=0.5)))
    assert higher(output, target) == plain(output, target)
    single = LOSSES.build(dict(type='AdaptiveWingLoss', weight_map=dict(dilation=1)))
    assert single(output, target).item() == pytest.approx(float(plain(output, target) + 10 * cells[0, 0, 3, 3] / 98))


def test_the_weight_map_equals_scipys_dilation_up_to_the_border() -> None:
    target = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(0)) ** 4
    weight_map = LOSSES.build(dict(type='AdaptiveWingLoss', weight_map=dict(threshold=0.4))).weight_map
    expected = np.stack([grey_dilation(m, size=(3, 3)) >= 0.4 for m in target[0].numpy()])
    assert np.array_equal(weight_map(target)[0].numpy(), 1 + 10.0 * expected) and 0 < expected.mean() < 1


@pytest.mark.parametrize('mistake,error', [(dict(dilation=2), FacelmkError), (dict(treshold=0.2), UnknownName)])
def test_an_impossible_weight_map_is_refused(mistake: dict, error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(mistake))):
        LOSSES.build(dict(type='AdaptiveWingLoss', weight_map=mistake))


def test_the_hardest_maps_by_hand() -> None:
    """Squared errors 1, 4, 9 and 16 of four maps, the last of weight 0: the two largest are 9 and 4."""
    output = torch.tensor([1.0, 2.0, 3.0, 4.0])[None, :, None, None].expand(1, 4, 5, 5)
    weight = torch.tensor([1.0, 1.0, 1.0, 0.0])[None, :, None, None]
    assert LOSSES.build(dict(type='OHKMLoss', topk=2))(output, torch.zeros(1, 4, 5, 5), weight) == 6.5
    assert LOSSES.build(dict(type='OHKMLoss'))(output, torch.zeros(1, 4, 5, 5), weight) == 3.5
    with pytest.raises(FacelmkError, match='topk=0'):
        LOSSES.build(dict(type='OHKMLoss', topk=0))


def test_focal_loss_by_hand() -> None:
    """One map of two cells: the peak with p = .25, a cell half as high with p = .5. Without a peak, nothing is divided."""
    output, target = torch.tensor([0.25, 0.5])[None, None, None], torch.tensor([1.0, 0.5])[None, None, None]
    loss = LOSSES.build(dict(type='FocalHeatmapLoss', steepness=None))
    hit, miss = -(0.75**2) * math.log(0.25), -(0.5**4) * 0.5**2 * math.log(0.5)
    assert loss(output, target).item() == pytest.approx(hit + miss, rel=1e-6)
    twice = [maps.repeat(1, 2, 1, 1) for maps in (output, target)]
    assert loss(*twice).item() == pytest.approx(hit + miss, rel=1e-6)
    lower = -(0.6**4) * 0.25**2 * math.log(0.75) - 0.8**4 * 0.5**2 * math.log(0.5)
    assert loss(output, target * 0.4).item() == pytest.approx(lower, rel=1e-6)
    steep = LOSSES.build(dict(type='FocalHeatmapLoss', steepness=10.0))
    maps = (output / (1 - output)).log() / 10 + 0.5
    assert steep(maps, target).item() == pytest.approx(hit + miss, rel=1e-5)


def test_soft_argmax_by_hand() -> None:
    """Heights of 1 in columns 2 and 5: the soft-argmax is 3.5, the target's is 2; a mass of 2 gives a weight of 2 / 3."""
    output, target = torch.zeros(1, 1, 3, 8), torch.zeros(1, 1, 3, 8)
    output[0, 0, 1, [2, 5]], target[0, 0, 1, 2] = 1.0, 0.8
    loss = LOSSES.build(dict(type='SoftArgmaxL1Loss'))
    assert loss(output, target).item() == pytest.approx((1.5 + 0) / 2 * 2 / 3)
    output[0, 0, 0] = -3.0  # negative cells have no weight
    value, slope = gradient(loss, output, target)
    assert value.item() == pytest.approx(0.5)
    assert slope[0, 0, 1, 2] < 0 < slope[0, 0, 1, 5] and slope[0, 0, 0].abs().max() == 0
    assert loss(output, torch.zeros_like(target)) == 0 == loss(torch.zeros_like(output), target)
    assert loss(output, target * 0.5) == pytest.approx(loss(output, target))  # a lower peak has the same soft-argmax


def test_the_gradient_of_soft_argmax_is_bounded() -> None:
    """For maps of any height, down to 0, no cell has a gradient above the width of the grid."""
    target = torch.zeros(1, 1, 64, 64)
    target[0, 0, 60, 3] = 1.0
    noise = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    for height in (0.0, 1e-9, 1e-6, 1e-4, 0.01, 0.1, 1.0, 100.0):
        value, slope = gradient(LOSSES.build(dict(type='SoftArgmaxL1Loss')), noise * height, target)
        assert 0 <= value < 64 and slope.isfinite().all() and slope.abs().max() < 64
    assert expected_cells(torch.nn.functional.one_hot(torch.tensor([[5]]), 9).float()).tolist() == [[[5.0]]]
