"""Mark-ups against published tables, and the maps between them."""
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from facelmk.markups import MAPS, MARKUPS, Markup, convert, span
from facelmk.registry import FacelmkError, UnknownName

MIRRORS = json.loads((Path(__file__).parent / 'data' / 'mirrors.json').read_text())
SIZES = {'wflw': 98, '300w': 68, 'cofw': 29, 'aflw': 19, 'lapa': 106, 'coco_wholebody_face': 68, '300wlp': 68,
         'five': 5}


def test_the_known_markups():
    assert {name: markup.size for name, markup in MARKUPS.items()} == SIZES


@pytest.mark.parametrize('name', sorted(set(MIRRORS) - {'300wlp'}))
def test_mirror_tables(name):
    assert MARKUPS[name].mirror.tolist() == MIRRORS[name]


def test_300wlp_mirrors_as_300w_does():
    """MMPose's 300W-LP has no pairs, so that its mirrored faces keep left where right is."""
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
    wanted = {
        '300w': [span(0, 16), span(17, 21), span(22, 26), span(36, 39), (36, 41, 40, 39), span(42, 45),
                 (42, 47, 46, 45), span(27, 30), span(31, 35), span(48, 54), span(60, 64),
                 (48, 59, 58, 57, 56, 55, 54), (60, 67, 66, 65, 64)],
        'wflw': [span(0, 32), span(33, 37), span(42, 46), span(60, 64), (60, 67, 66, 65, 64), span(68, 72),
                 (68, 75, 74, 73, 72), span(51, 54), span(55, 59), span(76, 82), span(88, 92),
                 (76, 87, 86, 85, 84, 83, 82), (88, 95, 94, 93, 92)]}
    assert list(MARKUPS[name].lines) == wanted[name]


def test_five_points_of_sixty_eight():
    points = np.random.default_rng(0).random((68, 2))
    five = MARKUPS['300w'].five_points(points)
    eyes = [points[[37, 38, 40, 41]].mean(0), points[[43, 44, 46, 47]].mean(0)]
    assert np.allclose(five, [*eyes, *points[[30, 48, 54]]])


@pytest.mark.parametrize(('source', 'target'), MAPS)
def test_maps_go_with_the_mirror(source, target):
    """Mirroring and mapping are the same in either order, and every target is a mean of sources."""
    rng = np.random.default_rng(1)
    a, b = MARKUPS[source], MARKUPS[target]
    points, visible = rng.random((a.size, 2)), (rng.random(a.size) > .3).astype(np.float32)
    there, seen = convert(points, visible, source, target)
    mirrored, seen_mirrored = convert(points[a.mirror], visible[a.mirror], source, target)
    assert np.allclose(there[b.mirror], mirrored) and np.array_equal(seen[b.mirror], seen_mirrored)
    for share in MAPS[source, target].values():
        assert sum(share.values()) == pytest.approx(1)


@pytest.mark.parametrize(('source', 'target'), [('wflw', '300w'), ('300w', 'lapa'), ('wflw', 'lapa'), ('cofw', 'lapa')])
def test_maps_keep_eye_corners_and_pupils(source, target):
    maps = MAPS[source, target]
    assert [maps[i] for i in MARKUPS[target].eyes] == [{i: 1.} for i in MARKUPS[source].eyes]
    if source in ('wflw', 'cofw') and target == 'lapa':
        assert [maps[i] for i in (104, 105)] == [{group[0]: 1.} for group in MARKUPS[source].pupils]


def test_a_target_without_source_is_invisible():
    points, visible = np.ones((68, 2)), np.ones(68)
    visible[37] = 0
    there, seen = convert(points, visible, '300w', 'lapa')
    assert seen[1] == 0 and there[1].tolist() == [0, 0]  # between two of the 68 contour points
    assert seen[68] == 0 and seen[72] == 1  # the mean of 37 and 38 is as visible as the less visible


def test_errors_name_the_near():
    with pytest.raises(UnknownName, match="'wflw'"):
        MARKUPS['wlfw']
    with pytest.raises(UnknownName, match='wflw to 300w'):
        convert(np.zeros((5, 2)), np.zeros(5), 'five', 'wflw')
    with pytest.raises(FacelmkError, match='two mirror pairs'):
        Markup('twice', 3, ((0, 1), (1, 2)))
    with pytest.raises(FacelmkError, match='counted from 0'):
        Markup('outside', 3, ((0, 3),))
