"""Codecs against MMPose's numbers (tests/data/codecs.npz) and the published errors of a perfect network."""

from pathlib import Path

import numpy as np
import pytest
import torch

from facelmk import geometry
from facelmk.codecs import Coordinates, Heatmap, Integral
from facelmk.codecs.refine import dark, quarter
from facelmk.markups import MARKUPS

MSRA = {
    'msra': dict(sigma=2, centre='cell', refine='quarter'),
    'msra_dark': dict(sigma=2, centre='exact', refine='dark'),
    'msra_s1.5': dict(sigma=1.5, centre='cell', refine='quarter'),
}
WFLW = torch.from_numpy(MARKUPS['wflw'].mirror)


@pytest.fixture(scope='module')
def reference():
    return np.load(Path(__file__).parents[1] / 'data' / 'codecs.npz')


def noise(seed, *shape):
    return torch.from_numpy(np.random.RandomState(seed).rand(*shape)).float()


@pytest.mark.parametrize('name', MSRA)
def test_heatmaps_and_weights_are_those_of_mmpose(reference, name):
    codec = Heatmap(**MSRA[name], aligned=False)
    points, visible = (torch.from_numpy(reference[key]) for key in ('points', 'visible'))
    maps, weight = codec.encode(points, visible, torch.zeros(1, 98, 64, 64), 256)
    assert np.abs(maps[0, ::14].numpy() - reference[f'{name}_maps']).max() < 1e-6
    assert np.abs(maps[0].double().sum((1, 2)).numpy() - reference[f'{name}_map_sums']).max() < 1e-4
    assert np.array_equal(weight[..., 0, 0].numpy(), reference[f'{name}_weight'])
    actual, scores = codec.decode(maps + noise(77, 98, 64, 64) * 0.05, 256)
    assert np.abs(actual.numpy() - reference[f'{name}_decoded']).max() < 1e-3
    assert np.abs(scores.numpy() - reference[f'{name}_scores']).max() < 1e-6


def test_coordinates_and_weights_are_those_of_mmpose(reference):
    points, visible = (torch.from_numpy(reference[key]) for key in ('points', 'visible'))
    target, weight = Coordinates().encode(points, visible, torch.zeros(1, 98, 2), 256)
    assert np.array_equal(target.numpy(), reference['reg'])
    assert np.array_equal(weight[..., 0].numpy(), reference['reg_weight'])


def test_refinement_of_random_maps_is_that_of_mmpose(reference):
    maps = noise(123, 20, 64, 64)[None]
    place = maps.flatten(-2).argmax(-1)
    x, y = place % 64, place // 64
    cells = torch.stack((x, y), -1)
    good = slice(2, None)  # the reference empties the first two maps
    assert np.array_equal(cells[0, good].numpy(), reference['pp_max_loc'][good])
    assert np.array_equal((cells + quarter(maps, x, y))[0, good].numpy(), reference['pp_refine'][0, good])
    moved = (dark(maps, x, y, 11)[0, good]).numpy()
    expected = reference['pp_dark'][0, good] - cells[0, good].numpy()
    # noise makes some Hessians nearly singular, where the offset is many cells long: compare to its length
    assert (np.abs(moved - expected) / np.maximum(1, np.abs(expected))).max() < 1e-3


def test_an_empty_map_decodes_to_cell_minus_one():
    empty = torch.tensor([0.0, -1.0])[:, None, None].expand(1, 2, 64, 64)
    points, scores = Heatmap(aligned=False).decode(empty, 256)
    assert points.tolist() == [[[-4.0, -4.0], [-4.0, -4.0]]] and scores.tolist() == [[0.0, -1.0]]


@pytest.mark.parametrize('shift', [0, 1])
def test_flips_are_those_of_mmpose(reference, shift):
    maps = Heatmap(aligned=False, shift=bool(shift)).flip(noise(41, 1, 98, 64, 64), WFLW, 256)
    assert np.array_equal(maps[:, ::35].numpy(), reference[f'flip_maps_{shift}'])
    points = Coordinates(flip='exact' if shift else 'mmpose0').flip(noise(42, 2, 98, 2), WFLW, 256)
    assert np.abs(points.numpy() - reference[f'flip_points_{shift}']).max() < 1e-7


PERFECT_NME = {
    'msra_s2': (Heatmap(2, 'quarter', 'cell', aligned=False), [1.261, 1.247, 1.237, 1.25, 1.249]),
    'dark_s2': (Heatmap(2, 'dark', 'exact', aligned=False), [0.001] * 5),
    'regression': (Coordinates(), [0.0] * 5),
}


@pytest.mark.parametrize('name', PERFECT_NME)
def test_the_error_of_a_perfect_network_is_the_published_one(name):
    """The NME in % of decoding alone: 98 uniform points in a box, with an inter-ocular distance of 0.6 boxes."""
    codec, expected = PERFECT_NME[name]
    rng = np.random.default_rng(0)
    like = torch.zeros(1, 98, 2) if name == 'regression' else torch.zeros(1, 98, 64, 64)
    actual = []
    for side in (40, 85, 150, 250, 400):
        errors = []
        for _ in range(60):
            landmarks = rng.uniform(100, 100 + side, (98, 2))
            warp = geometry.box_to_crop([100, 100, 100 + side, 100 + side], 256, 1.25)
            points = torch.from_numpy(geometry.apply(warp, landmarks))[None].float()
            target, _ = codec.encode(points, torch.ones(1, 98), like, 256)
            restored = geometry.apply(geometry.invert(warp), codec.decode(target, 256)[0][0].double().numpy())
            errors.append(np.linalg.norm(restored - landmarks, axis=-1).mean() / (0.6 * side) * 100)
        actual.append(np.mean(errors))
    assert np.abs(np.subtract(actual, expected)).max() < 0.02, actual


def test_integral_decodes_the_centre_of_a_cell_and_between_two():
    """Cell (row 5, column 9) of a stride-4 grid covers pixels 36 to 39 and 20 to 23: its middle is (37.5, 21.5)."""
    cells = torch.full((1, 1, 28, 28), -1e4)
    cells[0, 0, 5, 9] = 0
    points, scores = Integral().decode(cells, 112)
    torch.testing.assert_close(points, torch.tensor([[[37.5, 21.5]]]))
    assert scores.item() == 1
    cells[0, 0, 5, 10] = 0
    points, scores = Integral().decode(cells, 112)
    torch.testing.assert_close(points, torch.tensor([[[39.5, 21.5]]]))
    assert scores.item() == 0.5


def test_integral_mirrors_any_map_exactly():
    maps = torch.randn(2, 98, 16, 16, generator=torch.Generator().manual_seed(0))
    points, flipped = (Integral().decode(m, 64)[0] for m in (maps, Integral().flip(maps, WFLW, 64)))
    torch.testing.assert_close(flipped[..., 0], 63 - points[:, WFLW, 0], atol=1e-4, rtol=0)
    torch.testing.assert_close(flipped[..., 1], points[:, WFLW, 1], atol=1e-4, rtol=0)
