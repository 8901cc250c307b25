"""What the names and the positions of points say of their landmark scheme."""

import numpy as np
import pytest

from facelmk.datasets import SyntheticFaces
from facelmk.datasets.point_names import are_numbers, eyes_of, pairs_of, read_pairs, side_of
from facelmk.datasets.schemes import Points, find_scheme, lie_as, normaliser_of
from facelmk.errors import FacelmkError
from facelmk.markups import MARKUPS


@pytest.mark.parametrize(
    ('name', 'side', 'words'),
    [
        ('left_eye', 'left', ('eye',)),
        ('eyeRight', 'right', ('eye',)),
        ('l_ear', 'left', ('ear',)),
        ('mouth.r', 'right', ('mouth',)),
        ('Left Eye Outer', 'left', ('eye', 'outer')),
        ('eye-outer-L', 'left', ('eye', 'outer')),
        ('RIGHT_EYE', 'right', ('eye',)),
        ('nose', None, ('nose',)),
        ('leftmost', None, ('leftmost',)),
    ],
)
def test_sides(name, side, words):
    assert side_of(name) == (side, words)


def test_pairs_and_eyes():
    names = ['right_eye_outer', 'nose', 'left_eye_outer', 'left_pupil', 'right_pupil']
    pairs = pairs_of(names, 'a.json')
    assert pairs == ((2, 0), (3, 4))
    assert eyes_of(names, pairs) == {'eyes': (2, 0), 'pupils': ((3,), (4,))}
    assert pairs_of(['top', 'nose'], 'a.json') == ()


def test_a_side_without_its_mirror_image_is_an_error_that_says_what_to_write():
    with pytest.raises(FacelmkError, match=r"a\.json: the point 'left_ear'.*--flip-pairs"):
        pairs_of(['left_ear', 'nose'], 'a.json')


def test_pairs_in_words():
    names = ['a', 'b', 'c']
    assert read_pairs('a:b', names, 3) == ((0, 1),) == read_pairs('0:1', (), 3)
    assert read_pairs('none', names, 3) == ()
    for wrong in ('a:d', 'a', '0:3', 'a:b:c'):
        with pytest.raises(FacelmkError, match='--flip-pairs'):
            read_pairs(wrong, names, 3)


def test_numbers_say_nothing():
    assert are_numbers(['0', '1', '2']) and are_numbers(['kpt-3', 'kpt-1', 'kpt-2']) and are_numbers(['01', '02'])
    assert not are_numbers(['a1', 'b2']) and not are_numbers(['0', '2']) and not are_numbers([])
    assert not are_numbers(['9' * 5000, '1'])


@pytest.mark.parametrize('markup', ['wflw', '300w', 'cofw', 'aflw', 'lapa'])
def test_faces_lie_as_those_of_their_scheme(markup):
    data = SyntheticFaces(markup, count=20, seed=1, size=96)
    faces = np.stack([data.face(i)['landmarks'] for i in range(20)]).astype(np.float64)
    K = MARKUPS[markup].size
    names = tuple(f'point of {i // 10} {"abcdefghij"[i % 10]}' for i in range(K))
    assert lie_as(Points(K, names, (), faces), MARKUPS[markup])
    assert not lie_as(Points(K, names, (), faces[:, ::-1]), MARKUPS[markup])
    assert find_scheme(Points(K, names, (), faces), 'a.json').name == markup
    own = find_scheme(Points(K, names, (), faces[:, ::-1]), 'dogs/a set.json')
    assert own.name == f'a_set_{K}' and own.names == names and own.pairs == ()


def test_eyes_are_those_of_the_image_whatever_their_names_say():
    """Many people call the eye on the left of the image the right one, because it is the person's."""
    faces = np.array([[[60.0, 40], [20, 40], [40, 60]]] * 3)
    for faces_of_file, pupils in ((faces, ((1,), (0,))), (faces[:, [1, 0, 2]], ((0,), (1,)))):
        scheme = find_scheme(Points(3, ('left_eye', 'right_eye', 'tip'), (), faces_of_file, np.ones((3, 3))), 'a.json')
        assert scheme.pupils == pupils and scheme.pairs == ((0, 1),)


def test_points_without_names_have_the_scheme_of_their_number():
    assert find_scheme(Points(68), 'a.csv') is MARKUPS['300w']
    assert find_scheme(Points(166), 'a.npz') is MARKUPS['wflw_300w']
    own = find_scheme(Points(12), 'my cats', flip_pairs='0:1,2:3')
    assert (own.name, own.pairs, own.names) == ('my_cats_12', ((0, 1), (2, 3)), ())
    with pytest.raises(FacelmkError, match='1 points'):
        find_scheme(Points(1), 'a.csv')


def test_the_error_is_over_the_eyes_where_there_are_eyes():
    assert normaliser_of(MARKUPS['300w']) == 'inter_ocular'
    assert normaliser_of(find_scheme(Points(3, ('left_eye', 'right_eye', 'nose')), 'a')) == 'inter_pupil'
    assert normaliser_of(find_scheme(Points(3, ('tip', 'top', 'tail')), 'a')) == 'box_side'
