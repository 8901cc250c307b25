"""BoxMapsLoss: values by hand, cells of weight 0, and finite gradients."""

import math

import pytest
import torch

from facelmk.codecs import BoxMaps
from facelmk.models.losses import BoxMapsLoss
from facelmk.models.losses.box_maps_loss import generalised_overlap

BOXES = [torch.tensor([[40.0, 40.0, 100.0, 110.0], [10.0, 10.0, 30.0, 31.0]]), torch.zeros(0, 4)]
IGNORED = [torch.tensor([False, True]), torch.zeros(0, dtype=torch.bool)]


def encoded() -> tuple[torch.Tensor, torch.Tensor]:
    return BoxMaps().encode(BOXES, IGNORED, torch.zeros(2, 5, 16, 16), 128)


def test_cells_of_weight_0_do_not_change_the_loss() -> None:
    target, weight = encoded()
    output = torch.randn(2, 5, 16, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    value = BoxMapsLoss()(output, target, weight)
    value.backward()
    assert (output.grad[weight == 0] == 0).all() and (output.grad[weight > 0] != 0).float().mean() > 0.95
    assert BoxMapsLoss()(torch.where(weight > 0, output, output + 5), target, weight) == value


def test_wrong_sides_cost_and_right_ones_do_not() -> None:
    target, weight = encoded()
    right = BoxMapsLoss(sides=1)(target, target, weight)
    wrong = target.clone()
    wrong[:, 3] += math.log(2)  # twice as wide: GIoU = IoU = 1/2
    assert (BoxMapsLoss(sides=1)(wrong, target, weight) - right).item() == pytest.approx(0.5, abs=1e-5)


def test_the_focal_loss_of_two_cells_by_hand() -> None:
    target, output = torch.full((1, 5, 1, 2), -20.0), torch.zeros(1, 5, 1, 2)
    target[0, 0, 0, 0] = 20.0
    expected = 2 * 0.25 * math.log(2)  # a peak and a background cell, both with probability 1/2
    assert BoxMapsLoss(sides=0)(output, target).item() == pytest.approx(expected)


def test_boxes_that_do_not_touch_by_hand() -> None:
    box = torch.tensor([0.0, 0.0, 0.0, 0.0]).view(1, 4, 1, 1)  # one cell wide and high
    beside = torch.tensor([2.0, 0.0, 0.0, 0.0]).view(1, 4, 1, 1)
    assert generalised_overlap(box, beside).item() == pytest.approx(-1 / 3)  # 1 of the 3 cells around both is empty
    assert generalised_overlap(box, box).item() == pytest.approx(1)


def test_gradients_stay_finite_for_absurd_outputs() -> None:
    target, weight = encoded()
    for number in (-1e4, 0.0, 1e4):
        output = torch.full_like(target, number).requires_grad_()
        value = BoxMapsLoss()(output, target, weight)
        value.backward()
        assert value.isfinite() and output.grad.isfinite().all()
