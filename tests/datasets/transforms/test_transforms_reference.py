"""Every array of MMPose's transforms: matrices, boxes, crops, and the training pipeline of six seeds."""

import re

import numpy as np
import pytest
import torch

from facelmk import geometry
from facelmk.codecs import Heatmap
from facelmk.datasets import CropFace
from facelmk.datasets.transforms.crop import resample
from facelmk.markups import MARKUPS

BOX = np.array([60, 70, 380, 400], np.float32)  # around (220, 235), 320 x 330
COMPARED = [
    r'cases',
    r'(warp|inv|udp)_[0-3]_(256|192)',
    r'bbox',
    r'cs_[cs]_1\.(0|25)',
    r'img(_formula)?',
    r'kpts',
    r'vis',
    r'affine_udp[01]_(img|kpts|center|scale)',
    r'aug[0-5]_(flip|rot|scale|center|kpts|vis|img|w|hmsum)',
]


@pytest.fixture(scope='module')
def reference(shared):
    return np.load(shared / 'ref' / 'transforms.npz')


def relative(result, expected):
    return np.abs(result - expected).max() / np.abs(expected).max()


def udp(centre, sides, degrees, size):
    """MMPose's crop for UDP: from edge pixel to edge pixel, rotated the other way, stretched if sides differ.

    No transform of this package makes it, because no published face model was trained on it.
    """
    turned = geometry.shift(*np.divide(sides, 2)) @ geometry.rotate(degrees) @ geometry.shift(*np.negative(centre))
    return geometry.scale(*(np.array(size) - 1) / sides) @ turned


def test_every_reference_array_is_compared(reference):
    assert [name for name in reference if not any(re.fullmatch(pattern, name) for pattern in COMPARED)] == []
    assert len(reference.files) == 1 + 24 + 1 + 4 + 4 + 8 + 54


@pytest.mark.parametrize('case', range(4))
@pytest.mark.parametrize('width', [256, 192])
def test_matrices(reference, case, width):
    x, y, w, h, degrees = reference['cases'][case]
    # our crops are square: one of 192 x 256 is a square of 192 with 32 more above and below
    warp = geometry.shift(0, (256 - width) / 2) @ geometry.box_to_crop(
        geometry.square_box((x, y), w), width, degrees=degrees
    )
    assert relative(warp[:2], reference[f'warp_{case}_{width}']) <= 1e-5
    assert relative(geometry.invert(warp)[:2], reference[f'inv_{case}_{width}']) <= 1e-5
    assert relative(udp((x, y), (w, h), degrees, (width, 256))[:2], reference[f'udp_{case}_{width}']) <= 1e-5


@pytest.mark.parametrize('padding', [1.0, 1.25])
def test_centres_and_sides(reference, padding):
    for box, centre, sides in zip(
        reference['bbox'], reference[f'cs_c_{padding}'], reference[f'cs_s_{padding}'], strict=True
    ):
        warp = CropFace(256, padding).warp(box, 450)
        assert np.allclose(geometry.apply(geometry.invert(warp), [[128.0, 128]]), centre)
        assert np.isclose(256 / warp[0, 0], sides.max())  # the crop is the square of the longer side


def test_the_crop_of_a_box(reference):
    warp = CropFace(256).warp(BOX, 450)
    assert np.allclose(geometry.apply(geometry.invert(warp), [[128.0, 128]]), reference['affine_udp0_center'])
    assert np.allclose(256 / warp[0, 0], reference['affine_udp0_scale'])
    assert np.array_equal(resample(reference['img'], warp, 256), reference['affine_udp0_img'])
    assert np.abs(geometry.apply(warp, reference['kpts']) - reference['affine_udp0_kpts']).max() < 1e-4


def test_the_crop_of_a_box_for_udp(reference):
    centre, sides = reference['affine_udp1_center'], reference['affine_udp1_scale']
    assert np.allclose(centre, (BOX[:2] + BOX[2:]) / 2) and np.allclose(sides, 330 * 1.25)
    warp = udp(centre, sides, 0, (256, 256))
    assert np.abs(geometry.apply(warp, reference['kpts']) - reference['affine_udp1_kpts']).max() < 1e-4
    difference = np.abs(resample(reference['img'], warp, 256).astype(int) - reference['affine_udp1_img'])
    assert (difference > 0).mean() < 1e-3 and difference.max() <= 3


@pytest.mark.parametrize('seed', range(6))
def test_the_training_pipeline(reference, seed):
    stored = {
        key: reference[f'aug{seed}_{key}']
        for key in ('flip', 'rot', 'scale', 'center', 'kpts', 'vis', 'img', 'w', 'hmsum')
    }
    flip, degrees, factor = bool(stored['flip']), float(stored['rot'][0]), stored['scale'][0, 0] / (330 * 1.25)
    warp = CropFace(mirror='photo').warp(BOX, 450, flip, degrees, factor)
    order = MARKUPS['wflw'].mirror if flip else np.arange(98)
    points = geometry.apply(warp, reference['kpts'][:, order].astype(np.float64))
    visible = reference['vis'][:, order]
    (centre,) = geometry.apply(geometry.invert(warp), [[128.0, 128]])
    assert np.allclose([449 - centre[0] if flip else centre[0], centre[1]], stored['center'][0], atol=1e-3)
    assert np.isclose(256 / np.abs(np.linalg.det(warp)) ** 0.5, stored['scale'][0, 0])
    assert np.abs(points - stored['kpts']).max() < 1e-4 and np.array_equal(visible, stored['vis'])
    difference = np.abs(resample(reference['img'], warp, 256)[::4, ::4].astype(int) - stored['img'])
    # one resampling that includes the mirror rounds its 1/32-pixel steps differently from mirroring first
    assert (difference > 0).mean() <= (0.01 if flip else 0) and np.quantile(difference, 0.999) <= 3
    codec = Heatmap(sigma=2, centre='cell', refine='quarter', aligned=False)
    maps, weight = codec.encode(
        *(torch.from_numpy(part).float() for part in (points, visible)), torch.zeros(1, 98, 64, 64), 256
    )
    assert np.array_equal(weight[..., 0, 0].numpy(), stored['w'])
    assert np.isclose(maps.double().sum(), stored['hmsum'], rtol=1e-6)
