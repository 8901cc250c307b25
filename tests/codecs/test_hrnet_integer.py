"""The original HRNet's integer coordinates: by hand, and the error of a perfect network at five face sizes."""

import numpy as np
import pytest
import torch

from facelmk import geometry
from facelmk.codecs import HRNetInteger

SIZES = (40, 85, 150, 250, 400)
# NME in % of an eye distance of 0.6 boxes; mean bias in pixels of the photograph
PERFECT_NME = {False: ([3.349, 1.879, 1.453, 1.309, 1.253], 0.5), True: ([1.972, 1.435, 1.309, 1.248, 1.221], 0.0)}


def faces(rng, side, count):
    """Faces of 98 points each, uniform in a box at a random position."""
    return np.stack([rng.uniform(100, 300, 2) + rng.uniform(0, side, (98, 2)) for _ in range(count)])


@pytest.mark.parametrize('rounded', PERFECT_NME)
def test_error_and_bias_of_a_perfect_network_are_the_published_ones(rounded):
    """The NME of perfect maps of 60 faces at each size, and the mean offset of the landmarks.

    The published figures also come from 60 faces, so both are accurate to .01 or .02.
    """
    codec, (expected, bias) = HRNetInteger(rounded=rounded), PERFECT_NME[rounded]
    rng, actual = np.random.default_rng(1), []
    for side in SIZES:
        landmarks = faces(rng, side, 60)
        warp = np.stack([geometry.box_to_crop(geometry.tight_box(face), 256, 1.25) for face in landmarks])
        points = torch.from_numpy(geometry.apply(warp, landmarks))
        target, _ = codec.encode(points, torch.ones(60, 98), torch.zeros(60, 98, 64, 64), 256)
        offsets = codec.to_photo(codec.decode(target, 256)[0], torch.from_numpy(warp)).numpy() - landmarks
        actual.append(np.linalg.norm(offsets, axis=-1).mean() / (0.6 * side) * 100)
        assert np.abs(offsets.mean((0, 1)) - bias).max() < 0.06
    assert np.abs(np.subtract(actual, expected)).max() < 0.02, actual


def test_encoding_and_decoding_by_hand():
    """A photograph twice as large as the crop: x = 167.9 is 83.95 in the crop, cell 20, whose middle is 82: 164 + 1."""
    codec, warp = HRNetInteger(), torch.diag(torch.tensor([0.5, 0.5, 1.0]))[None]
    points = torch.tensor([[[83.95, 40.0]]])
    target, weight = codec.encode(points, torch.ones(1, 1), torch.zeros(1, 1, 64, 64), 256)
    assert target[0, 0, 10, 20] == 1 == target.max() and weight.item() == 1
    assert target[0, 0, 10, 21] == pytest.approx(np.exp(-1 / 4.5))
    actual, _ = codec.decode(target, 256)
    assert actual.tolist() == [[[82.0, 42.0]]]
    assert codec.to_photo(actual, warp).tolist() == [[[165.0, 85.0]]]
    assert HRNetInteger(rounded=True).to_photo(actual + 0.3, warp).tolist() == [[[165.0, 85.0]]]
    target[0, 0, 10, 21] = 0.9
    actual, _ = codec.decode(target, 256)
    assert actual.tolist() == [[[83.0, 42.0]]]  # a quarter of a cell to the right
    assert codec.to_photo(actual - 0.3, warp).tolist() == [
        [[166.0, 84.0]]
    ]  # 165.4 is truncated to 165, 83.4 to 83; then 1 is added


def test_negative_coordinates_are_truncated_towards_zero():
    landmarks = HRNetInteger().to_photo(torch.tensor([[[-1.5, 0.5]]]), torch.eye(3)[None])
    assert landmarks.tolist() == [[[0.0, 1.0]]]


@pytest.mark.parametrize(('x', 'moves'), [(0, False), (1, True), (62, True), (63, False)])
def test_the_outermost_cells_are_not_refined(x, moves):
    maps = torch.zeros(1, 1, 64, 64)
    maps[0, 0, 30, x], maps[0, 0, 30, min(x + 1, 63) if x < 63 else 62] = 1.0, 0.5
    maps[0, 0, 30, x] = 1.0
    cell = HRNetInteger().decode(maps, 256)[0][0, 0, 0] / 4 - 0.5
    assert cell == x + (0.25 if moves else 0)


def test_an_empty_map_decodes_to_cell_minus_one():
    points, scores = HRNetInteger().decode(torch.zeros(1, 1, 64, 64), 256)
    assert points.tolist() == [[[-2.0, -2.0]]] and scores.item() == 0
