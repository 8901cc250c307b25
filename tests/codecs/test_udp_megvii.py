"""UDP, Megvii and MMPose's integral labels against MMPose's numbers; UDP's grid against its crops.

`tests/data/udp_megvii.npz` holds each 14th map of the reference folder. If that folder exists, complete arrays are compared.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from facelmk import geometry
from facelmk.codecs import UDP, Coordinates, Heatmap, Megvii
from facelmk.codecs.refine import blurred, dark_udp

COPIED = Path(__file__).parents[1] / 'data'
LIKE = torch.zeros(1, 98, 64, 64)
# MMPose decodes UDP's maps into a crop that is 256 / 255 times as wide as ours
CODECS = {'udp': (UDP(), 256 / 255), 'megvii': (Megvii(aligned=False), 1.0)}
# the arrays compared here; test_simcc.py compares simcc, test_parity.py msra
COMPARED_HERE = (
    'kpts',
    'vis',
    'decode_noise_seed',
    'pp_hm_seed',
    'udp',
    'megvii',
    'reg_dec',
    'intreg',
    'pp_dark_udp',
    'pp_blur',
    'pp_max',
)
COMPARED_ELSEWHERE = ('simcc', 'msra', 'reg_enc', 'pp_refine', 'pp_dark')


@pytest.fixture(scope='module')
def copied():
    return dict(np.load(COPIED / 'udp_megvii.npz')) | {
        key: value for key, value in np.load(COPIED / 'codecs.npz').items() if key in ('points', 'visible')
    }


def noise(seed, *shape):
    return torch.from_numpy(np.random.RandomState(seed).rand(*shape)).float()


def encoded(name, copied):
    points, visible = (torch.from_numpy(copied[key]) for key in ('points', 'visible'))
    return CODECS[name][0].encode(points, visible, LIKE, 256)


@pytest.mark.parametrize('name', CODECS)
def test_maps_and_weights_are_those_of_mmpose(name, copied):
    maps, weight = encoded(name, copied)
    height = copied[f'{name}_maps'].max()
    assert np.abs(maps[0, ::14].numpy() - copied[f'{name}_maps']).max() < 1e-6 * height
    assert np.abs(maps[0].double().sum((1, 2)).numpy() - copied[f'{name}_map_sums']).max() < 1e-4 * height
    assert np.array_equal(weight[..., 0, 0].numpy(), copied[f'{name}_weight'])


@pytest.mark.parametrize('name', CODECS)
def test_decoded_points_and_scores_are_those_of_mmpose(name, copied):
    (codec, wider), maps = CODECS[name], encoded(name, copied)[0]
    actual, scores = codec.decode(maps + noise(77, 98, 64, 64) * 0.05, 256)
    expected = copied[f'{name}_decoded']
    assert np.abs(actual.numpy() * wider - expected).max() <= 1e-4  # also in maps of pure noise, with flat parabolas
    assert np.abs(scores.numpy() - copied[f'{name}_scores']).max() < 1e-6


@pytest.mark.parametrize('name', CODECS)
def test_complete_maps_of_the_reference(name, copied, shared):
    reference = np.load(shared / 'ref' / 'codecs.npz')[f'{name}_enc_heatmaps']
    assert np.abs(encoded(name, copied)[0][0].numpy() - reference).max() < 1e-6 * reference.max()


def test_each_array_of_the_reference_is_compared_somewhere(shared):
    with np.load(shared / 'ref' / 'codecs.npz') as reference:
        assert [key for key in reference if not key.startswith((*COMPARED_HERE, *COMPARED_ELSEWHERE))] == []


def test_blur_and_refinement_of_noise_are_those_of_mmpose(copied):
    maps = noise(123, 20, 64, 64)[None, 2:]  # the reference empties the first two maps
    assert np.abs(blurred(maps, 11)[0, ::6].numpy() - copied['pp_blur']).max() < 1e-6
    height, index = maps.flatten(-2).max(-1)
    x, y = index % 64, index // 64
    assert np.array_equal(height[0].numpy(), copied['pp_max_val'][2:])
    assert np.array_equal(torch.stack((x, y), -1)[0].numpy(), copied['pp_max_loc'][2:])
    moved = dark_udp(maps, x, y, 11)[0].numpy()
    expected = copied['pp_dark_udp'][0, 2:] - copied['pp_max_loc'][2:]
    assert np.abs(expected).max() > 1849  # cells: the parabola of one map is that flat
    assert np.abs(moved - expected).max() < 1e-3


def test_integral_labels_are_coordinates_and_heatmaps_of_sum_one(copied):
    """MMPose's IntegralRegressionLabel is our Coordinates beside our Heatmap, divided by its sum."""
    points, visible = (torch.from_numpy(copied[key]) for key in ('points', 'visible'))
    labels, weight = Coordinates().encode(points, visible, torch.zeros(1, 98, 2), 256)
    assert np.array_equal(labels.numpy(), copied['intreg'])
    assert np.array_equal(weight[..., 0].numpy(), copied['intreg_weight'])
    maps = Heatmap(sigma=2, centre='cell', aligned=False).encode(points, visible, LIKE, 256)[0]
    normalised = maps / (maps.sum((-2, -1), keepdim=True) + 1e-24)
    assert np.abs(normalised[0, ::14].numpy() - copied['intreg_maps']).max() < 1e-6


@pytest.mark.parametrize('name', ['reg', 'intreg'])
def test_decoded_coordinates_are_those_of_mmpose(name, shared):
    """The labels, moved by noise."""
    with np.load(shared / 'ref' / 'codecs.npz') as reference:
        moved = reference[f'{name}_enc_keypoint_labels'] + np.random.RandomState(9).randn(1, 98, 2) * 0.01
        actual, scores = Coordinates().decode(torch.from_numpy(moved), 256)
        assert np.abs(actual.numpy() - reference[f'{name}_dec_kpts']).max() < 1e-4
        assert np.array_equal(scores.numpy(), reference[f'{name}_dec_scores'])


def test_udp_decodes_200_to_200():
    """The grid's ends are the crop's: 0 and 255 are cells 0 and 63; by MMPose's factor 200 becomes 200.78."""
    codec, points = UDP(), torch.tensor([[[0.0, 255.0], [200.0, 100.0]]])
    assert codec.cells(points, (64, 64), 256)[0, 0].tolist() == pytest.approx([0.0, 63.0])
    target, _ = codec.encode(points, torch.ones(1, 2), torch.zeros(1, 2, 64, 64), 256)
    actual = codec.decode(target, 256)[0]
    assert (actual[0, 1] - points[0, 1]).abs().max() < 1e-3
    assert actual[0, 1, 0] * 256 / 255 == pytest.approx(200.784, abs=1e-3)


@pytest.mark.parametrize('case', [0, 1, 2, 3])
def test_udp_maps_points_back_from_mmposes_udp_crops(case, shared):
    """With MMPose's UDP matrix as the warp, to_photo restores the landmarks."""
    reference = np.load(shared / 'ref' / 'transforms.npz')
    matrix = np.vstack([reference[f'udp_{case}_256'].astype(np.float64), [0, 0, 1]])
    landmarks = geometry.apply(geometry.invert(matrix), 40 + np.random.RandomState(case).rand(1, 98, 2) * 170)
    points = torch.from_numpy(geometry.apply(matrix, landmarks)).float()
    target, _ = UDP().encode(points, torch.ones(1, 98), LIKE, 256)
    actual = UDP().decode(target, 256)[0]
    restored = UDP().to_photo(actual, torch.from_numpy(matrix)[None])
    assert np.abs(restored.numpy() - landmarks).max() < 2e-3
    x, y, width, height, degrees = reference['cases'][case]
    if not degrees:  # MMPose's inverse, which ignores the rotation
        by_mmpose = actual[0].numpy() * 256 / 255 / 256 * [width, height] + [x, y] - np.array([width, height]) / 2
        assert np.abs(by_mmpose - restored[0].numpy()).max() < 1e-3 * width / 256 + 1e-3


def test_megvii_by_hand():
    """x = 131.9 of 256 lies in the 33rd cell, of the aligned grid from 131.5 on in the 34th; scores reach 1.5."""
    points = torch.tensor([[[131.9, 128.0]]])
    for aligned, cell, decoded in ((False, 32, [130.0, 130.0]), (True, 33, [133.5, 129.5])):
        codec = Megvii(aligned=aligned)
        target, _ = codec.encode(points, torch.ones(1, 1), torch.zeros(1, 1, 64, 64), 256)
        assert target[0, 0, 32, cell] == 255 == target.max()
        assert target[0, 0, 32, cell + 1] / 255 == pytest.approx(np.exp(-0.5 / 2.6**2), abs=1e-5)
        assert target[0, 0, 32, cell + 7] > 0 == target[0, 0, 32, cell + 8]
        actual, scores = codec.decode(target, 256)
        assert actual[0, 0].tolist() == decoded and scores.item() == pytest.approx(1.5)
