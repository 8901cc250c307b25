"""The original HRNet's integers: by hand, and its floor at five sizes of faces."""

import numpy as np
import pytest
import torch

from facelmk import geometry
from facelmk.codecs import HRNetInteger

SIZES = (40, 85, 150, 250, 400)
# NME in % of an eye distance of 0.6 boxes; mean bias in pixels of the photograph
FLOORS = {False: ([3.349, 1.879, 1.453, 1.309, 1.253], 0.5), True: ([1.972, 1.435, 1.309, 1.248, 1.221], 0.0)}


def faces(rng, side, count):
    """98 points each, spread evenly over a box somewhere in a photograph."""
    return np.stack([rng.uniform(100, 300, 2) + rng.uniform(0, side, (98, 2)) for _ in range(count)])


@pytest.mark.parametrize('rounded', FLOORS)
def test_floors_and_bias_are_the_published_ones(rounded):
    """What decoding the perfect maps of 60 faces at each size costs, and the mean way that landmarks are moved.

    The published figures come from 60 faces too, which makes either certain to .01 or .02.
    """
    codec, (wanted, bias) = HRNetInteger(rounded=rounded), FLOORS[rounded]
    rng, found = np.random.default_rng(1), []
    for side in SIZES:
        landmarks = faces(rng, side, 60)
        warp = np.stack([geometry.box_to_crop(geometry.tight_box(face), 256, 1.25) for face in landmarks])
        points = torch.from_numpy(geometry.apply(warp, landmarks))
        target, _ = codec.encode(points, torch.ones(60, 98), torch.zeros(60, 98, 64, 64), 256)
        moved = codec.to_photo(codec.decode(target, 256)[0], torch.from_numpy(warp)).numpy() - landmarks
        found.append(np.linalg.norm(moved, axis=-1).mean() / (0.6 * side) * 100)
        assert np.abs(moved.mean((0, 1)) - bias).max() < 0.06
    assert np.abs(np.subtract(found, wanted)).max() < 0.02, found


def test_encoding_and_decoding_by_hand():
    """A photograph twice as large as the crop: x = 167.9 is 83.95 in the crop, cell 20, whose middle is 82: 164 + 1."""
    codec, warp = HRNetInteger(), torch.diag(torch.tensor([0.5, 0.5, 1.0]))[None]
    points = torch.tensor([[[83.95, 40.0]]])
    target, weight = codec.encode(points, torch.ones(1, 1), torch.zeros(1, 1, 64, 64), 256)
    assert target[0, 0, 10, 20] == 1 == target.max() and weight.item() == 1
    assert target[0, 0, 10, 21] == pytest.approx(np.exp(-1 / 4.5))
    found, _ = codec.decode(target, 256)
    assert found.tolist() == [[[82.0, 42.0]]]
    assert codec.to_photo(found, warp).tolist() == [[[165.0, 85.0]]]
    assert HRNetInteger(rounded=True).to_photo(found + 0.3, warp).tolist() == [[[165.0, 85.0]]]
    target[0, 0, 10, 21] = 0.9
    found, _ = codec.decode(target, 256)
    assert found.tolist() == [[[83.0, 42.0]]]  # a quarter of a cell to the right
    assert codec.to_photo(found - 0.3, warp).tolist() == [
        [[166.0, 84.0]]
    ]  # 165.4 is cut to 165, 83.4 to 83, and 1 each


def test_places_before_the_photograph_are_cut_towards_zero_too():
    home = HRNetInteger().to_photo(torch.tensor([[[-1.5, 0.5]]]), torch.eye(3)[None])
    assert home.tolist() == [[[0.0, 1.0]]]


@pytest.mark.parametrize(('x', 'moves'), [(0, False), (1, True), (62, True), (63, False)])
def test_the_outermost_cells_are_not_refined(x, moves):
    maps = torch.zeros(1, 1, 64, 64)
    maps[0, 0, 30, x], maps[0, 0, 30, min(x + 1, 63) if x < 63 else 62] = 1.0, 0.5
    maps[0, 0, 30, x] = 1.0
    place = HRNetInteger().decode(maps, 256)[0][0, 0, 0] / 4 - 0.5
    assert place == x + (0.25 if moves else 0)


def test_an_empty_map_decodes_to_before_the_first_cell():
    points, scores = HRNetInteger().decode(torch.zeros(1, 1, 64, 64), 256)
    assert points.tolist() == [[[-2.0, -2.0]]] and scores.item() == 0
