"""Landmark schemes against published tables, and the maps between them."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from facelmk.errors import FacelmkError, UnknownName
from facelmk.markups import MAPS, MARKUPS, SHIPPED, Markup, convert, span

MIRRORS = json.loads((Path(__file__).parent / 'data' / 'mirrors.json').read_text())
SIZES = {
    'wflw': 98,
    '300w': 68,
    'cofw': 29,
    'aflw': 19,
    'lapa': 106,
    'coco_wholebody_face': 68,
    '300wlp': 68,
    'five': 5,
    'wflw_300w': 166,
}


def test_the_sizes_of_all_schemes():
    assert {name: MARKUPS[name].size for name in SHIPPED} == SIZES  # other tests add schemes of their own


@pytest.mark.parametrize('name', sorted(set(MIRRORS) - {'300wlp'}))
def test_mirror_tables(name):
    assert MARKUPS[name].mirror.tolist() == MIRRORS[name]


def test_300wlp_mirrors_as_300w_does():
    """MMPose's 300W-LP has no pairs, so that left and right are not swapped in its mirrored faces."""
    assert MIRRORS['300wlp'] == list(range(68))
    assert MARKUPS['300wlp'].mirror.tolist() == MIRRORS['300w']


@pytest.mark.parametrize('name', SIZES)
def test_mirror_laws(name):
    markup = MARKUPS[name]
    order = markup.mirror
    assert np.array_equal(order[order], np.arange(markup.size))
    assert order[list(markup.eyes)].tolist() == list(markup.eyes)[::-1]
    left, right = markup.pupils
    assert sorted(order[list(left)]) == sorted(right)
    five = [sorted(order[list(group)]) for group in markup.five]
    assert five == [sorted(markup.five[i]) for i in (1, 0, 2, 4, 3)]


@pytest.mark.parametrize('name', SIZES)
def test_parts_and_lines_mirror_onto_each_other(name):
    markup = MARKUPS[name]

    def edges(order):
        return {frozenset((int(order[a]), int(order[b]))) for line in markup.lines for a, b in itertools.pairwise(line)}

    assert edges(markup.mirror) == edges(np.arange(markup.size))
    parts = {frozenset(part) for part in markup.parts.values()}
    assert {frozenset(markup.mirror[list(part)].tolist()) for part in parts} == parts


@pytest.mark.parametrize('name', ['wflw', '300w'])
def test_thirteen_boundary_lines(name):
    """The polylines of Adaptive Wing's boundary channel (arXiv:1904.07399)."""
    expected = {
        '300w': [
            span(0, 16),
            span(17, 21),
            span(22, 26),
            span(36, 39),
            (36, 41, 40, 39),
            span(42, 45),
            (42, 47, 46, 45),
            span(27, 30),
            span(31, 35),
            span(48, 54),
            span(60, 64),
            (48, 59, 58, 57, 56, 55, 54),
            (60, 67, 66, 65, 64),
        ],
        'wflw': [
            span(0, 32),
            span(33, 37),
            span(42, 46),
            span(60, 64),
            (60, 67, 66, 65, 64),
            span(68, 72),
            (68, 75, 74, 73, 72),
            span(51, 54),
            span(55, 59),
            span(76, 82),
            span(88, 92),
            (76, 87, 86, 85, 84, 83, 82),
            (88, 95, 94, 93, 92),
        ],
    }
    assert list(MARKUPS[name].lines) == expected[name]


def test_five_points_of_sixty_eight():
    points = np.random.default_rng(0).random((68, 2))
    five = MARKUPS['300w'].five_points(points)
    eyes = [points[[37, 38, 40, 41]].mean(0), points[[43, 44, 46, 47]].mean(0)]
    assert np.allclose(five, [*eyes, *points[[30, 48, 54]]])


@pytest.mark.parametrize(('source', 'target'), MAPS)
def test_conversion_commutes_with_the_mirror(source, target):
    """Mirroring and conversion commute, and each target is a weighted mean of sources."""
    rng = np.random.default_rng(1)
    a, b = MARKUPS[source], MARKUPS[target]
    points, visible = rng.random((a.size, 2)), (rng.random(a.size) > 0.3).astype(np.float32)
    converted, converted_visible = convert(points, visible, source, target)
    mirrored, mirrored_visible = convert(points[a.mirror], visible[a.mirror], source, target)
    assert np.allclose(converted[b.mirror], mirrored) and np.array_equal(converted_visible[b.mirror], mirrored_visible)
    for weights in MAPS[source, target].values():
        assert sum(weights.values()) == pytest.approx(1)


@pytest.mark.parametrize(('source', 'target'), [('wflw', '300w'), ('300w', 'lapa'), ('wflw', 'lapa'), ('cofw', 'lapa')])
def test_conversion_keeps_eye_corners_and_pupils(source, target):
    maps = MAPS[source, target]
    assert [maps[i] for i in MARKUPS[target].eyes] == [{i: 1.0} for i in MARKUPS[source].eyes]
    if source in ('wflw', 'cofw') and target == 'lapa':
        assert [maps[i] for i in (104, 105)] == [{group[0]: 1.0} for group in MARKUPS[source].pupils]


# The meaning of each point, independent of the maps: both schemes of a map must agree on it.
BROWS = ('outer end', 'upper quarter', 'upper middle', 'upper three quarters', 'inner end')
RING = (
    'outer corner',
    'upper outer',
    'upper middle',
    'upper inner',
    'inner corner',
    'lower inner',
    'lower middle',
    'lower outer',
)
# fmt: off
LIPS = ('left corner', 'upper 1', 'upper 2', 'upper middle', 'upper 4', 'upper 5', 'right corner', 'lower 5', 'lower 4',
        'lower middle', 'lower 2', 'lower 1')
# fmt: on
INNER = (
    'left corner',
    'upper left',
    'upper middle',
    'upper right',
    'right corner',
    'lower right',
    'lower middle',
    'lower left',
)
SHORT_EYE = (
    'outer corner',
    'upper outer sixth',
    'upper inner sixth',
    'inner corner',
    'lower inner sixth',
    'lower outer sixth',
)


def named(first, group, words):
    return {first + i: f'{group}, {word}' for i, word in enumerate(words)}


def eyes(left, right, words):
    """Outlines run clockwise: the left eye from its outer corner, the right eye from its inner corner."""
    half = len(words) // 2
    mirrored = (*reversed(words[: half + 1]), *reversed(words[half + 1 :]))
    return named(left, 'left eye', words) | named(right, 'right eye', mirrored)


# fmt: off
NAMES = {
    '300w': {i: f'contour {2 * i}' for i in range(17)} | named(17, 'left brow', BROWS)
    | named(22, 'right brow', BROWS[::-1]) | named(27, 'bridge', '1234') | named(31, 'under the nose', '12345')
    | eyes(36, 42, SHORT_EYE) | named(48, 'outer lips', LIPS) | named(60, 'inner lips', INNER),
    'wflw': {i: f'contour {i}' for i in range(33)} | named(33, 'left brow', BROWS)
    | named(42, 'right brow', BROWS[::-1]) | named(51, 'bridge', '1234') | named(55, 'under the nose', '12345')
    | eyes(60, 68, RING) | named(76, 'outer lips', LIPS) | named(88, 'inner lips', INNER)
    | {38: 'left brow, lower inner', 39: 'left brow, lower three quarters', 40: 'left brow, lower middle',
       41: 'left brow, lower quarter', 50: 'right brow, lower inner', 49: 'right brow, lower three quarters',
       48: 'right brow, lower middle', 47: 'right brow, lower quarter', 96: 'left pupil', 97: 'right pupil'},
    'cofw': {0: 'left brow, outer end', 1: 'right brow, outer end', 2: 'left brow, inner end',
             3: 'right brow, inner end', 4: 'left brow, upper middle', 5: 'left brow, lower middle',
             6: 'right brow, upper middle', 7: 'right brow, lower middle', 8: 'left eye, outer corner',
             9: 'right eye, outer corner', 10: 'left eye, inner corner', 11: 'right eye, inner corner',
             12: 'left eye, upper middle', 13: 'left eye, lower middle', 14: 'right eye, upper middle',
             15: 'right eye, lower middle', 16: 'left pupil', 17: 'right pupil', 18: 'left nostril, outside',
             19: 'right nostril, outside', 20: 'bridge, 4', 21: 'under the nose, 3', 22: 'outer lips, left corner',
             23: 'outer lips, right corner', 24: 'outer lips, upper middle', 25: 'inner lips, upper middle',
             26: 'inner lips, lower middle', 27: 'outer lips, lower middle', 28: 'contour 16'}}
# fmt: on
# fmt: off
NAMES['lapa'] = {i: name for i, name in NAMES['wflw'].items() if i < 55} | named(58, 'under the nose', '12345') | eyes(
    66, 75, RING) | named(84, 'outer lips', LIPS) | named(96, 'inner lips', INNER) | {
    55: 'left of the nose, above', 56: 'left of the nose, middle', 57: 'left nostril, outside',
    65: 'right of the nose, above', 64: 'right of the nose, middle', 63: 'right nostril, outside',
    74: 'left eye, middle', 83: 'right eye, middle', 104: 'left pupil', 105: 'right pupil'}
# fmt: on
BETWEEN = {
    f'{side} eye, {lid} middle': {f'{side} eye, {lid} {end} sixth' for end in ('outer', 'inner')}
    for side in ('left', 'right')
    for lid in ('upper', 'lower')
}  # the schemes of 68 points have no middle of a lid
NEAREST = {
    f'{side} eye, {lid} {end} sixth': f'{side} eye, {lid} {end}'
    for side in ('left', 'right')
    for lid in ('upper', 'lower')
    for end in ('outer', 'inner')
}


@pytest.mark.parametrize(('source', 'target'), [('wflw', '300w'), ('300w', 'lapa'), ('wflw', 'lapa'), ('cofw', 'lapa')])
def test_maps_connect_points_of_the_same_name(source, target):
    """For each point; and each name that both schemes have is mapped (MMPose's 29 to 106 confuses eyes and nose)."""
    assert all(sorted(NAMES[name]) == list(range(MARKUPS[name].size)) for name in (source, target))
    source_names, converted = NAMES[source], NAMES[target]
    for point, weights in MAPS[source, target].items():
        names, expected = {source_names[i] for i in weights}, converted[point]
        assert names in ({expected}, BETWEEN.get(expected), {NEAREST.get(expected)}), (point, expected, names)
    common = {point for point, name in converted.items() if name in source_names.values()}
    assert common <= set(MAPS[source, target])


def test_mmposes_eyes_of_cofw_are_not_those_of_106_points():
    """Its table maps the eyes to 60, 64, 62, 66 and 72, 68, 70, 74: indices of WFLW's 98, but the nose in LaPa's 106."""
    mmpose_map = {8: 60, 10: 64, 12: 62, 13: 66, 9: 72, 11: 68, 14: 70, 15: 74}
    assert all(NAMES['cofw'][i] == NAMES['wflw'][j] for i, j in mmpose_map.items())
    our_map = {source: point for point, weights in MAPS['cofw', 'lapa'].items() for source in weights}
    assert sorted(our_map) == list(range(29))
    for i, j in mmpose_map.items():
        assert NAMES['lapa'][j] != NAMES['cofw'][i] == NAMES['lapa'][our_map[i]]


@pytest.mark.parametrize(
    ('source', 'target'), list(itertools.permutations(('300w', '300wlp', 'coco_wholebody_face'), 2))
)
def test_sixty_eight_points_are_the_same_under_their_three_names(source, target):
    points, visible = np.random.default_rng(3).random((68, 2)), np.arange(68) % 2
    converted, converted_visible = convert(points, visible, source, target)
    assert np.array_equal(converted, points) and np.array_equal(converted_visible, visible)
    assert MAPS[source, 'lapa'] == MAPS[target, 'lapa'] and MAPS['wflw', source] == MAPS['wflw', target]


def test_weights_of_lapas_points():
    """MMPose's weights: contour .8, outlines of the eyes 2, lips 1.5. Mirrored points have the same weight."""
    markup = MARKUPS['lapa']
    expected = np.ones(106)
    for part, weight in (('contour', 0.8), ('left_eye', 2), ('right_eye', 2), ('outer_lips', 1.5), ('inner_lips', 1.5)):
        expected[list(markup.parts[part])] = weight
    assert markup.weights == tuple(expected) == tuple(expected[markup.mirror])


def test_a_target_without_source_is_invisible():
    points, visible = np.ones((68, 2)), np.ones(68)
    visible[37] = 0
    converted, converted_visible = convert(points, visible, '300w', 'lapa')
    assert converted_visible[1] == 0 and converted[1].tolist() == [0, 0]  # between two of the 68 contour points
    assert (
        converted_visible[68] == 0 and converted_visible[72] == 1
    )  # the mean of 37 and 38 is visible only if both are


def test_errors_suggest_known_names():
    with pytest.raises(UnknownName, match="'wflw'"):
        MARKUPS['wlfw']
    with pytest.raises(UnknownName, match="'five' to 'wflw'"):
        convert(np.zeros((5, 2)), np.zeros(5), 'five', 'wflw')
    with pytest.raises(FacelmkError, match='3 points.* 2 weights'):
        Markup('weighed', 3, (), weights=(1, 2))
    with pytest.raises(FacelmkError, match='two mirror pairs'):
        Markup('twice', 3, ((0, 1), (1, 2)))
    with pytest.raises(FacelmkError, match='from 0 to'):
        Markup('outside', 3, ((0, 3),))


def test_schemes_with_the_same_points() -> None:
    assert MARKUPS['300w'].same_points(MARKUPS['coco_wholebody_face'])
    assert not MARKUPS['300w'].same_points(MARKUPS['wflw'])
