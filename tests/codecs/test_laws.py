"""Laws of every registered codec with several options: decode inverts encode, flip mirrors, weights of 0."""

import warnings

import pytest
import torch

from facelmk.markups import MARKUPS
from facelmk.registry import CODECS

FORMS = {
    'Heatmap': [
        dict(centre=centre, refine=refine, aligned=aligned, sigma=sigma)
        for centre in ('exact', 'cell')
        for refine in ('quarter', 'dark', None)
        for aligned in (True, False)
        for sigma in (1.5, 2)
    ]
    + [dict(aligned=False, shift=False)],
    'Boundary': [
        dict(markup='wflw', **form)
        for form in (
            {},
            dict(refine='dark'),
            dict(corner=True),
            dict(centre='cell', sigma=1.75, radius=3, corner=True),
            dict(centre='cell', sigma=2.5, radius=7),
            dict(centre='cell', aligned=False),
        )
    ],
    'Megvii': [{}, dict(aligned=False)],
    'HRNetInteger': [{}, dict(rounded=True)],
    'Coordinates': [dict(flip='exact'), dict(flip='mmpose0')],
    'SimCC': [
        {},
        dict(aligned=False),
        dict(normalise=True),
        dict(smoothing=0.1),
        dict(split=3, aligned=False),
        dict(sigma=(4.9, 5.66)),
        dict(refine='dark', normalise=True, aligned=False),
        dict(refine='dark', sigma=(8, 3), split=3),
        dict(refine='dark', smoothing=0.1, sigma=2),
    ],
    'RLE': [{}, dict(flip='mmpose0')],
    'UDPCombined': [{}, dict(radius_factor=0.02), dict(radius_factor=0.2, kernel=3)],
}
OF_BOXES = {'BoxMaps'}  # it encodes boxes, not points: test_box_maps.py has the same laws for it
CASES = [(name, form) for name in CODECS if name not in OF_BOXES for form in FORMS.get(name, [{}])]
VALUES = {'Coordinates': 2, 'RLE': 4}  # of each point, for codecs without maps and bins
MIRROR = torch.from_numpy(MARKUPS['wflw'].mirror)
SIZE = 256


def like(name, codec):
    """An output of the codec's shape: maps of a quarter of the crop, rows of bins, or coordinates."""
    K = codec.channels(98, SIZE)
    if codec.bins(SIZE) is not None:
        return torch.zeros(2, K, 2, codec.bins(SIZE))
    values = VALUES.get(name)
    return torch.zeros(2, K, values) if values else torch.zeros(2, K, SIZE // 4, SIZE // 4)


def faces(codec, seed=0):
    """Points at least the codec's margin inside the crop."""
    generator = torch.Generator().manual_seed(seed)
    margin = max(codec.margin, 1.0)
    return margin + torch.rand(2, 98, 2, generator=generator) * (SIZE - 2 * margin), torch.ones(2, 98)


@pytest.mark.fault('K06')
@pytest.mark.parametrize(('name', 'form'), CASES, ids=str)
def test_decoding_undoes_encoding(name, form):
    codec = CODECS.build(dict(type=name, **form))
    points, visible = faces(codec)
    target, weight = codec.encode(points, visible, like(name, codec), SIZE)
    actual, scores = codec.decode(target, SIZE)[:2]
    assert (actual - points).abs().max() <= codec.tolerance
    assert scores.shape == (2, 98)
    assert torch.broadcast_shapes(weight.shape, target.shape) == target.shape


@pytest.mark.parametrize(('name', 'form'), CASES, ids=str)
def test_a_mirrored_output_is_the_output_of_the_mirrored_face(name, form):
    codec = CODECS.build(dict(type=name, **form))
    points, visible = faces(codec)
    target, _ = codec.encode(points, visible, like(name, codec), SIZE)
    actual = codec.decode(codec.flip(target, MIRROR, SIZE), SIZE)[0]
    mirrored = torch.stack((SIZE - 1 - points[:, MIRROR, 0], points[:, MIRROR, 1]), -1)
    bias = (actual - mirrored).mean((0, 1))
    # decoding errors up to the tolerance average out over 196 points
    assert abs(bias[0] - codec.flip_bias) <= 0.15 + 1e-3, bias
    assert (actual - mirrored - torch.tensor([codec.flip_bias, 0.0])).abs().max() <= codec.tolerance + 1e-3


@pytest.mark.parametrize(('name', 'form'), CASES, ids=str)
def test_invisible_points_and_points_outside_have_weight_0(name, form):
    codec = CODECS.build(dict(type=name, **form))
    points, visible = faces(codec)
    points[0, 0], visible[0, 1] = torch.tensor([-300.0, 40.0]), 0.0
    target, weight = codec.encode(points, visible, like(name, codec), SIZE)
    maps = 3 if name == 'UDPCombined' else 1  # of each point
    point_weight = weight[:, : 98 * maps].unflatten(1, (98, maps)).flatten(2).amax(-1)
    assert point_weight[0, :2].tolist() == [0.0, 0.0] and (point_weight[0, 2:98] == 1).all()
    if name not in VALUES:
        assert (target[0, maps : 2 * maps] == 0).all()


def test_an_aligned_grid_has_no_bias_and_mmposes_has():
    build = lambda **form: CODECS.build(dict(type='Heatmap', **form)).flip_bias  # noqa: E731
    assert (build(), build(aligned=False), build(aligned=False, shift=False)) == (0.0, 1.0, -3.0)


@pytest.mark.parametrize(('name', 'form'), CASES, ids=str)
def test_a_traced_decoder_gives_the_same_points(name, form):
    """Exported models hold the decoder: it must take another batch, and branch on no value."""
    codec = CODECS.build(dict(type=name, **form))
    outputs = [codec.encode(*faces(codec, seed), like(name, codec), SIZE)[0] for seed in (0, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torch announces the end of TorchScript, and notes each fixed size
        traced = torch.jit.trace(lambda output: codec.decode(output, SIZE)[:2], outputs[0], check_trace=False)
    other = torch.cat((outputs[1], outputs[1][:1]))
    for actual, expected in zip(traced(other), codec.decode(other, SIZE)[:2], strict=True):
        assert (actual - expected).abs().max() <= 1e-4
