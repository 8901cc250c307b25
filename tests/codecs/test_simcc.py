"""SimCC against MMPose's numbers, closed forms and hand computation."""

from pathlib import Path

import numpy as np
import pytest
import torch

from facelmk.codecs import SimCC
from facelmk.errors import FacelmkError
from facelmk.markups import MARKUPS

POINTS = Path(__file__).parents[1] / 'data' / 'codecs.npz'
FORMS = {'simcc': dict(sigma=6, normalise=True), 'simcc_rtm': dict(sigma=5.66), 'simcc_std': dict(smoothing=0.1)}
WFLW = torch.from_numpy(MARKUPS['wflw'].mirror)


def rows(codec, size=256):
    """Rows of the right number of bins for 98 points."""
    return torch.zeros(1, 98, 2, codec.bins(size))


def encoded(codec):
    with np.load(POINTS) as numbers:
        points, visible = (torch.from_numpy(numbers[key]) for key in ('points', 'visible'))
    return points, visible, *codec.encode(points, visible, rows(codec), 256)


@pytest.mark.parametrize('name', FORMS)
def test_rows_weights_and_points_are_those_of_mmpose(name, shared):
    codec = SimCC(aligned=False, **FORMS[name])
    with np.load(shared / 'ref' / 'codecs.npz') as numbers:
        _, _, target, weight = encoded(codec)
        for i, axis in enumerate('xy'):
            assert np.abs(target[:, :, i].numpy() - numbers[f'{name}_enc_keypoint_{axis}_labels']).max() < 1e-7
        assert np.array_equal(weight[..., 0, 0].numpy(), numbers[f'{name}_enc_keypoint_weights'])
        if name == 'simcc_std':  # its reference decodes noise
            random = np.random.RandomState(5)
            target = torch.from_numpy(np.stack([random.rand(1, 98, 512) for _ in 'xy'], 2)).float()
        actual, scores = codec.decode(target, 256)
        assert np.array_equal(actual.numpy(), numbers[f'{name}_dec_kpts'])
        assert np.abs(scores.numpy() - numbers[f'{name}_dec_scores']).max() < 1e-6


@pytest.mark.parametrize(('aligned', 'normalise'), [(True, False), (False, True)])
def test_a_row_is_a_gaussian_around_the_nearest_bin(aligned, normalise):
    points, visible, target, weight = encoded(SimCC(sigma=5.66, normalise=normalise, aligned=aligned))
    shift = 0.5 if aligned else 0.0
    centre = np.round((points.numpy().astype(float) + shift) * 2 - shift)
    expected = np.exp(-((np.arange(512) - centre[..., None]) ** 2) / (2 * 5.66**2))
    expected /= 5.66 * np.sqrt(2 * np.pi) if normalise else 1
    counts = weight[..., 0, 0].numpy() > 0
    assert np.abs(target.numpy()[counts] - expected[counts]).max() < 1e-6
    assert not target[0][~counts[0]].any() and counts.sum() == (visible > 0).sum() - (visible[0, :2] > 0).sum()
    if normalise:  # except at the edges, the row holds the complete Gaussian
        assert abs(target[0, 5:][counts[0, 5:]].sum(-1) - 1).median() < 1e-5


def test_label_smoothing_by_hand():
    """Four pixels with one bin each: 0.7 in the bin of the point, 0.1 in each of the others."""
    codec = SimCC(split=1, smoothing=0.3)
    target, weight = codec.encode(
        torch.tensor([[[1.2, 3.4], [1.0, 4.0]]]), torch.ones(1, 2), torch.zeros(1, 2, 2, 4), 4
    )
    torch.testing.assert_close(target[0, 0], torch.tensor([[0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]]))
    assert not target[0, 1].any() and weight.flatten().tolist() == [1.0, 0.0]  # y = 4 lies beyond the last pixel
    one_hot, _ = SimCC(split=1, sigma=0).encode(
        torch.tensor([[[1.2, 3.4]]]), torch.ones(1, 1), torch.zeros(1, 1, 2, 4), 4
    )
    assert one_hot[0, 0].tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]


def test_bins_decode_to_their_centres():
    """Two bins a pixel: aligned, bins 0 and 1 are the halves of pixel 0, which reaches from -0.5 to 0.5."""
    output = torch.zeros(1, 1, 2, 8)
    output[0, 0, 0, 1], output[0, 0, 1, 6] = 3.0, 2.0
    for aligned, point in ((True, [0.25, 2.75]), (False, [0.5, 3.0])):
        actual, scores = SimCC(aligned=aligned).decode(output, 4)
        assert actual[0, 0].tolist() == point and scores.item() == 2.0


def test_an_empty_row_decodes_to_bin_minus_one():
    output = torch.zeros(1, 2, 2, 8)
    output[0, 0, 0, 5] = 1.0
    points, scores = SimCC(aligned=False).decode(output, 4)
    assert points.tolist() == [[[-0.5, -0.5], [-0.5, -0.5]]] and scores.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize('split', [1, 2, 3])
def test_mmposes_bins_have_a_flip_bias_and_aligned_bins_have_none(split):
    """Bin b of W mirrors to W - 1 - b: x = b / split then becomes size - 1 / split - x, not size - 1 - x."""
    output = torch.randn(2, 98, 2, 64 * split, generator=torch.Generator().manual_seed(0))
    for aligned, bias in ((True, 0.0), (False, 1 - 1 / split)):
        codec = SimCC(split=split, aligned=aligned)
        assert codec.flip_bias == bias and codec.bins(64) == 64 * split and codec.channels(98, 64) == 98
        points, flipped = (codec.decode(rows, 64)[0] for rows in (output, codec.flip(output, WFLW, 64)))
        torch.testing.assert_close(flipped[..., 0], 63 + bias - points[:, WFLW, 0], atol=1e-4, rtol=0)
        torch.testing.assert_close(flipped[..., 1], points[:, WFLW, 1])


@pytest.mark.parametrize('form', [dict(smoothing=1.0), dict(smoothing=-0.1), dict(split=0)])
def test_impossible_values_are_refused_by_value(form):
    with pytest.raises(FacelmkError, match=next(iter(form))):
        SimCC(**form)


# MMPose 1.3.2: SimCCLabel((64, 64), sigma=(4.9, 5.66), use_dark=True) decodes `noisy_rows` to these points and scores
DARK = [[10.14116, 30.3524], [45.09346, 20.75134], [31.9954, 50.01486]]
DARK_SCORES = [1.028198, 1.039864, 1.016587]
CENTRES = np.array([[20.3, 60.7], [90.2, 41.55], [64.0, 100.1]])  # in bins


def noisy_rows():
    rows = np.exp(-((np.arange(128) - CENTRES[..., None]) ** 2) / (2 * 5.0**2))
    return torch.from_numpy((rows + np.random.RandomState(5).rand(3, 2, 128) * 0.05)[None].astype(np.float32))


def test_dark_decodes_as_mmpose():
    points, scores = SimCC(sigma=(4.9, 5.66), refine='dark', aligned=False).decode(noisy_rows(), 64)
    assert np.abs(points[0].numpy() - DARK).max() < 2e-5
    assert np.abs(scores[0].numpy() - DARK_SCORES).max() < 1e-6
    coarse = SimCC(sigma=(4.9, 5.66), aligned=False).decode(noisy_rows(), 64)[0]
    assert (coarse[0] * 2 == (coarse[0] * 2).round()).all()  # whole bins


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('split', [1.0, 2.0, 3.0])
def test_dark_finds_the_middle_of_a_gaussian_between_two_bins(aligned, split):
    """The logarithm of a Gaussian is a parabola, before and after the blur."""
    points = 20 + torch.rand(1, 98, 2, generator=torch.Generator().manual_seed(0)) * 24
    offset = 0.5 if aligned else 0.0
    centre = (points + offset) * split - offset
    rows = torch.exp(-((torch.arange(int(64 * split)) - centre[..., None]) ** 2) / (2 * 3.0**2))
    actual, _ = SimCC(sigma=3, split=split, refine='dark', aligned=aligned).decode(rows, 64)
    assert (actual - points).abs().max() < 2e-3


def test_dark_moves_no_bin_further_than_its_kernel():
    """A slope that ends at the edge has no maximum: Newton's step would lead anywhere."""
    codec = SimCC(sigma=2, refine='dark', aligned=False)  # a kernel of 11 bins
    rows = torch.linspace(1e-3, 1, 128).repeat(1, 4, 2, 1)
    rows[:, 1] = 1.0
    rows[:, 2] = torch.tensor([1.0, 2.0]).repeat(64)
    actual, scores = codec.decode(rows, 64)
    coarse, _ = SimCC(sigma=2, aligned=False).decode(rows, 64)
    assert actual.isfinite().all() and (actual - coarse).abs().max() <= 5 / 2
    empty, scores = codec.decode(torch.zeros(1, 1, 2, 128), 64)
    assert scores.item() == 0 and (empty < 0).all()


def test_each_axis_has_its_own_sigma():
    codec = SimCC(sigma=(3, 8), aligned=False, normalise=True)
    target, _ = codec.encode(torch.tensor([[[30.0, 30.0]]]), torch.ones(1, 1), torch.zeros(1, 1, 2, 128), 64)
    for axis, sigma in enumerate((3, 8)):
        expected = np.exp(-((np.arange(128) - 60) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
        assert np.abs(target[0, 0, axis].numpy() - expected).max() < 1e-7


@pytest.mark.fault('R05')
@pytest.mark.parametrize(
    'options',
    [
        dict(sigma=-1),
        dict(sigma=float('nan')),
        dict(sigma=float('inf')),
        dict(sigma=(3, -1)),
        dict(sigma=(3, 4, 5)),
        dict(sigma=(0, 4)),
        dict(sigma=0, refine='dark'),
        dict(sigma=(6, 0.7), refine='dark'),
        dict(refine='quarter'),
    ],
    ids=str,
)
def test_sigmas_that_make_no_row_are_refused(options):
    with pytest.raises(FacelmkError, match=next(iter(options))):
        SimCC(**options)


@pytest.mark.parametrize('options', [dict(split=0.01), dict(sigma=200), dict(sigma=(6, 200))], ids=str)
def test_a_crop_without_enough_bins_is_refused(options):
    with pytest.raises(FacelmkError, match='bins'):
        SimCC(**options).bins(64)
