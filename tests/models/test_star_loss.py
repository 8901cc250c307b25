"""STAR: the closed form of its axes, its value by hand, and what it makes of directions."""

import math

import pytest
import torch
from torch import Tensor

from facelmk.models.losses.star_loss import principal_axes
from facelmk.registry import LOSSES

SIZE = 32


def gaussian(degrees: float, long: float = 3.0, short: float = 1.5, x: float = 15.0, y: float = 16.0) -> Tensor:
    """Log-probabilities (1, 1, 32, 32) of a Gaussian whose longer axis has an angle to the x axis."""
    grid = torch.arange(SIZE, dtype=torch.float64)
    dy, dx = torch.meshgrid(grid - y, grid - x, indexing='ij')
    a = math.radians(degrees)
    along, across = dx * math.cos(a) + dy * math.sin(a), -dx * math.sin(a) + dy * math.cos(a)
    return (-(along**2) / (2 * long**2) - across**2 / (2 * short**2))[None, None]


@pytest.mark.parametrize('degrees', range(0, 180, 20))
def test_the_axes_are_those_of_eigh(degrees: int) -> None:
    p = gaussian(degrees).flatten(2).softmax(-1).view(1, 1, SIZE, SIZE)
    variances, axes = principal_axes(p)
    y, x = torch.meshgrid(*[torch.arange(SIZE, dtype=torch.float64)] * 2, indexing='ij')
    points = torch.stack([y, x], -1).flatten(0, 1)
    mean = (p.flatten()[:, None] * points).sum(0)
    covariance = (points - mean).T @ (p.flatten()[:, None] * (points - mean)) / (1 - p.square().sum())
    values, vectors = torch.linalg.eigh(covariance)
    assert torch.allclose(variances[0, 0], values.flip(0), rtol=1e-6)
    for row, column in ((0, 1), (1, 0)):
        assert abs(axes[0, 0, row] @ vectors[:, column]) == pytest.approx(1, abs=1e-6)


def test_the_value_by_hand() -> None:
    """Errors of two cells in x and one in y, of a map whose axes are x and y: all lengths in halves of the map."""
    loss = LOSSES.build(dict(type='STARLoss', spread=0.5, beta=0.01))
    output, target = gaussian(0), gaussian(0, 1.25, 1.25, x=13.0, y=17.0)
    variances = principal_axes(output.flatten(2).softmax(-1).view_as(output))[0][0, 0] * (2 / SIZE) ** 2
    assert variances.sqrt().tolist() == pytest.approx([3 * 2 / SIZE, 1.5 * 2 / SIZE], rel=0.02)
    expected = sum(
        (cells * 2 / SIZE - 0.005) / math.sqrt(variance + 1e-5) + 0.5 * variance
        for cells, variance in zip((2, 1), variances.tolist(), strict=True)
    )
    assert loss(output, target).item() == pytest.approx(expected, rel=1e-3)


def test_an_error_along_the_spread_of_a_map_counts_less_at_any_angle() -> None:
    loss = LOSSES.build(dict(type='STARLoss', spread=0.0))
    for degrees in (0, 30, 90, 135):
        a = math.radians(degrees)
        along = gaussian(0, 1.25, 1.25, x=15 + 2 * math.cos(a), y=16 + 2 * math.sin(a))
        across = gaussian(0, 1.25, 1.25, x=15 - 2 * math.sin(a), y=16 + 2 * math.cos(a))
        ratio = loss(gaussian(degrees), across) / loss(gaussian(degrees), along)
        assert ratio.item() == pytest.approx(2, rel=0.03)  # the standard deviations are 3 and 1.5


def test_a_round_map_has_finite_gradients_that_move_it_to_the_target() -> None:
    output = gaussian(0, 2.0, 2.0).requires_grad_()
    LOSSES.build(dict(type='STARLoss'))(output, gaussian(0, 1.25, 1.25, x=19.0)).backward()
    assert output.grad.isfinite().all()
    assert (output.grad[0, 0] * torch.arange(SIZE)).sum() < 0  # a step against the gradient moves the mean to larger x
