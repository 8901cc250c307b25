"""The error of a face: closed forms, MMPose's values, and changes that must not affect it (L7)."""

from pathlib import Path

import numpy as np
import pytest

from facelmk.errors import FacelmkError, UnknownName
from facelmk.markups import MARKUPS, Markup
from facelmk.metrics.errors import NORMS, check_norm, face_errors, normaliser
from facelmk.registry import METRICS

REFERENCE = np.load(Path(__file__).parents[1] / 'data' / 'metrics.npz')
RNG = np.random.default_rng(0)


def lengths(norm, markup, landmarks, box=((0, 0, 3, 4),), file=(7.0,), visible=None):
    points = np.asarray(landmarks, float)
    return normaliser(norm, MARKUPS[markup], points, np.asarray(box, float), np.asarray(file), visible)


def test_face_errors_by_hand():
    truth = np.zeros((4, 3, 2))
    predicted = np.array([[[3.0, 4], [0, 0], [6, 8]]] * 4)
    visible = np.array([[1, 1, 1], [1, 1, 0], [0, 0, 0], [1, 1, 1]])
    error, count = face_errors(predicted, truth, visible, np.array([10.0, 10, 10, 0]))
    assert error[:2].tolist() == [0.5, 0.25] and np.isnan(error[2:]).all()
    assert count.tolist() == [3, 2, 0, 3]


def test_a_length_to_a_point_that_the_file_lacks_is_unknown():
    """Readers put missing points at (0, 0), so the distance of the eyes would be that of one eye from the corner."""
    landmarks = np.full((3, 68, 2), 5.0)
    landmarks[:, 36], landmarks[1, 36], landmarks[2, 3] = (2, 1), (0, 0), (0, 0)
    visible = (landmarks != 0).any(-1).astype(float)
    found = lengths('inter_ocular', '300w', landmarks, visible=visible)
    assert found[[0, 2]].tolist() == [5, 5] and np.isnan(found[1])
    visible[:] = 1  # the corner of a picture is a place like any other
    assert lengths('inter_ocular', '300w', landmarks, visible=visible)[1] == 50**0.5


def test_an_invisible_point_may_have_any_value():
    truth, predicted = np.zeros((1, 2, 2)), np.array([[[3.0, 4], [np.nan, np.inf]]])
    error, _ = face_errors(predicted, truth, np.array([[1, 0]]), np.array([5.0]))
    assert error.tolist() == [1]


@pytest.mark.parametrize(
    ('norm', 'expected'), [('box_side', 4), ('box_geo', 12**0.5), ('box_diagonal', 5), ('file', 7)]
)
def test_box_and_file(norm, expected):
    assert lengths(norm, 'wflw', np.zeros((1, 98, 2))) == pytest.approx(expected)


@pytest.mark.parametrize(
    ('norm', 'markup', 'ends'),
    [
        ('inter_ocular', 'wflw', ([60], [72])),
        ('inter_ocular', '300w', ([36], [45])),
        ('inter_ocular', 'cofw', ([8], [9])),
        ('inter_ocular', 'lapa', ([66], [79])),
        ('inter_pupil', 'wflw', ([96], [97])),
        ('inter_pupil', 'cofw', ([16], [17])),
        ('inter_pupil', '300w', (range(36, 42), range(42, 48))),
        ((3, 11), 'aflw', ([3], [11])),
    ],
)
def test_point_norms(norm, markup, ends):
    landmarks = RNG.random((5, MARKUPS[markup].size, 2))
    left, right = (landmarks[:, list(end)].mean(1) for end in ends)
    assert np.allclose(lengths(norm, markup, landmarks), np.sqrt(((left - right) ** 2).sum(-1)))


@pytest.mark.parametrize(
    ('key', 'markup', 'norm'),
    [
        ('nme_wflw', 'wflw', 'inter_ocular'),
        ('nme_300w', '300w', 'inter_ocular'),
        ('nme_cofw', 'cofw', 'inter_ocular'),
        ('nme_bbox_wflw', 'wflw', 'box_side'),
        ('nme_aflw', 'aflw', 'file'),
    ],
)
def test_values_of_mmpose(key, markup, norm, batch, measure):
    """MMPose 1.3.2 on 50 faces with a tenth of the points invisible; with 98 points, face 7 has no eye distance."""
    size, side = MARKUPS[markup].size, 100.0 + np.arange(50)  # the box sides of the reference values
    faces = batch(
        REFERENCE['gt'][:, :size],
        REFERENCE['pred'][:, :size],
        REFERENCE['mask'][:, :size],
        norm=side,
        box=np.stack([0 * side, 0 * side, side, side * 0.9], 1),
    )
    values = measure(dict(type='NME', norm=norm), [faces], markup)
    assert values['NME'] / 100 == pytest.approx(REFERENCE[key].item(), abs=1e-6)


@pytest.mark.parametrize('norm', [*NORMS, (0, 16)])
def test_nme_is_invariant(norm, batch, measure):
    """NME does not change under a similarity or, if the normaliser is a box or a number, under shift and scale."""
    truth = RNG.random((6, 98, 2)) * 200
    predicted = truth + RNG.standard_normal(truth.shape)
    rotates = isinstance(norm, tuple) or norm.startswith('inter')
    angle, factor, offset = (1.1 if rotates else 0.0), 2.5, np.array([30, -70])
    matrix = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    box = np.concatenate([truth.min(1), truth.max(1)], -1)

    def nme(points, other, box, side):
        return measure(dict(type='NME', norm=norm), [batch(points, other, box=box, norm=side)])['NME']

    before = nme(truth, predicted, box, np.full(6, 40.0))
    moved = nme(
        truth @ matrix.T + offset,
        predicted @ matrix.T + offset,
        box * factor + np.tile(offset, 2),
        np.full(6, 40.0 * factor),
    )
    assert before > 0.1 and moved == pytest.approx(before, rel=1e-9)


def test_misspelt_norms():
    with pytest.raises(UnknownName, match='inter_ocular'):
        METRICS.build(dict(type='NME', norm='interocular'))
    with pytest.raises(UnknownName, match='point'):
        METRICS.build(dict(type='NME', average='points'))
    with pytest.raises(FacelmkError, match=r'pair.*\(i, j\)'):
        check_norm((1, 2, 3))
    with pytest.raises(FacelmkError, match='points 0 to 97'):
        lengths((60, 98), 'wflw', np.zeros((1, 98, 2)))


@pytest.mark.parametrize('norm', ['inter_ocular', 'inter_pupil'])
def test_a_landmark_scheme_without_eyes_needs_another_norm(norm):
    with pytest.raises(FacelmkError, match="'inter_.*'bare'"):
        normaliser(norm, Markup('bare', 3, ()), np.zeros((1, 3, 2)), np.zeros((1, 4)), np.zeros(1))
