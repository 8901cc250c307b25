"""UDP's combined maps: closed forms, MMPose's numbers, its loss, and maps that no disc fits."""

import numpy as np
import pytest
import torch

from facelmk.codecs import UDPCombined
from facelmk.errors import FacelmkError
from facelmk.registry import LOSSES

# MMPose 1.3.2: UDPHeatmap((64, 64), (16, 16), 'combined', radius_factor=0.1, blur_kernel_size=3) decodes noise to
# these points, here in crops that are mapped back by (size - 1) / (W - 1)
DECODED = [[65.715, -2.359], [65.7929, 2.4734], [43.7775, 52.9254], [-0.5603, 9.2776], [63.89, 21.0739]]
SCORES = [0.179201, 0.229147, 0.088509, 0.161535, 0.134862]
POINTS = torch.tensor([[[10.0, 20], [33.3, 40.1], [50, 5]], [[30, 31], [12.5, 50.5], [60, 60]]])
VISIBLE = torch.tensor([[1.0, 1, 0], [1, 1, 1]])


def codec():
    return UDPCombined(radius_factor=0.1, kernel=3)


def encoded(points=POINTS, visible=VISIBLE):
    target, weight = codec().encode(points, visible, torch.zeros(len(points), 9, 16, 16), 64)
    return target.unflatten(1, (3, 3)), weight.unflatten(1, (3, 3))


def test_a_disc_and_two_offsets_by_hand():
    """The point (8.4, 12.6) is the cell (2, 3); 16 cells times 0.1 are a radius of 1.6 cells: 9 cells of 3 x 3."""
    target, weight = encoded(torch.tensor([[[8.4, 12.6]] * 3]), torch.ones(1, 3))
    disc, x, y = target[0, 0]
    assert disc.nonzero().tolist() == [[row, column] for row in (2, 3, 4) for column in (1, 2, 3)]
    assert x[3, 2].abs() < 1e-6 and y[3, 2].abs() < 1e-6
    assert x[7, 0] == pytest.approx(2 / 1.6) and y[7, 0] == pytest.approx(-4 / 1.6)
    assert (weight[0, 0, 0] == 1).all() and torch.equal(weight[0, 0, 1], disc) and torch.equal(weight[0, 0, 2], disc)


def test_discs_are_those_of_mmpose():
    assert encoded()[0][:, :, 0].sum((-2, -1)).tolist() == [[8, 8, 0], [7, 9, 8]]


def test_noise_is_decoded_as_by_mmpose():
    noise = torch.from_numpy(np.random.RandomState(3).rand(15, 16, 16).astype(np.float32) - 0.5)
    points, scores = codec().decode(noise[None], 64)
    assert np.abs(points[0].numpy() - DECODED).max() < 1e-4
    assert np.abs(scores[0].numpy() - SCORES).max() < 1e-6


def test_three_halves_of_the_mean_square_are_mmposes_combined_loss():
    """MMPose 1.3.2: CombinedTargetMSELoss(use_target_weight=True), its value and the norm of its gradient."""
    output = torch.from_numpy(np.random.RandomState(4).rand(2, 9, 16, 16).astype(np.float32)).requires_grad_()
    target, weight = codec().encode(POINTS, VISIBLE, output, 64)
    loss = 1.5 * LOSSES.build(dict(type='HeatmapMSELoss'))(output, target, weight)
    loss.backward()
    assert loss.item() == pytest.approx(0.15145261585712433, rel=1e-6)
    assert float(output.grad.norm()) == pytest.approx(0.014042932540178299, rel=1e-5)


def test_the_mirrored_offset_points_to_the_other_side():
    target, _ = encoded()
    flipped = codec().flip(target.flatten(1, 2), torch.tensor([1, 0, 2]), 64).unflatten(1, (3, 3))
    disc, x, y = target[:, 1].unbind(1)
    assert torch.equal(flipped[:, 0], torch.stack((disc.flip(-1), -x.flip(-1), y.flip(-1)), 1))


def test_an_empty_map_has_no_point():
    points, scores = codec().decode(torch.zeros(1, 3, 16, 16), 64)
    assert scores[0, 0] == 0 and (points < 0).all()


def test_a_point_beside_the_grid_has_weight_0_and_one_at_its_edge_counts():
    _, weight = encoded(torch.tensor([[[-5.0, 20], [-14.0, 20], [77.0, 20]]]), torch.ones(1, 3))
    assert weight[0, :, 0].amax((-2, -1)).tolist() == [1, 0, 0]  # -1.19, -3.3 and 18.3 cells; the radius is 1.6


@pytest.mark.fault('R04')
def test_a_disc_that_may_lie_between_cells_is_refused():
    """On maps of 16 cells, 0.7 cells are a factor of 0.044."""
    small = UDPCombined(radius_factor=0.04)
    with pytest.raises(FacelmkError, match=r'radius_factor=0\.04.*0\.0442'):
        small.encode(POINTS, VISIBLE, torch.zeros(2, 9, 16, 16), 64)
    assert small.encode(POINTS, VISIBLE, torch.zeros(2, 9, 32, 32), 64)[0].unflatten(1, (3, 3))[0, 0, 0].sum() > 0
