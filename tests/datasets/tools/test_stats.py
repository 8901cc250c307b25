"""The numbers that describe a data set."""

import numpy as np
import pytest
from annotation_tools import human_face, write_labelme

from facelmk.datasets import FaceDataset, SyntheticFaces
from facelmk.datasets.open_faces import open_faces
from facelmk.datasets.tools.stats import shared_contents, statistics, swapped_by_shape
from facelmk.markups import MARKUPS

NAMES = ['left_eye', 'right_eye', 'nose', 'left_mouth', 'right_mouth']


class Changed(FaceDataset):
    """Drawn faces, some of which are changed."""

    def __init__(self, change, count=12):
        super().__init__('300w')
        self.inner, self.change = SyntheticFaces('300w', count=count, seed=4, size=64), change

    def __len__(self):
        return len(self.inner)

    def face(self, index):
        face = self.inner.face(index)
        self.change(index, face)
        return face


def test_faces_of_known_numbers():
    def square(index, face):
        face['landmarks'] = face['landmarks'] * 0 + np.array([10, 10], np.float32)
        face['landmarks'][:2] = [[10, 10], [10 + 40 * (1 + index % 2), 10]]
        face['box'] = np.array([0, 0, 100, 100], np.float32)

    numbers = statistics(Changed(square))
    assert numbers['faces'] == numbers['pictures'] == 12 and numbers['points'] == 68
    assert numbers['size_px']['least'] == 40 and numbers['size_px']['most'] == 80
    assert numbers['box']['rule'] == 'of its own' and numbers['box']['side_to_points']['most'] == 2.5


def test_missing_points_are_counted():
    def hide(index, face):
        face['visible'][3] = float(index % 4 != 0)

    visible = statistics(Changed(hide))['visible']
    assert visible['faces_that_lack_points'] == 3 and visible['missing_most_often'] == {'3': 0.25}


@pytest.mark.parametrize('swapped', [[], [5], [0, 7, 11]])
def test_faces_with_swapped_sides_are_found(swapped):
    mirror = MARKUPS['300w'].mirror

    def swap(index, face):
        if index in swapped:
            face['landmarks'] = face['landmarks'][mirror]

    numbers = statistics(Changed(swap))
    assert numbers['swapped_sides'] == len(swapped) and len(numbers['swapped']) == len(swapped)


def test_swapped_sides_of_points_of_ones_own(tmp_path):
    rng = np.random.default_rng(0)
    made = [{'name': f'{i}.png', 'points': human_face(rng, NAMES)} for i in range(10)]
    points = made[4]['points']
    made[4]['points'] = dict(zip(NAMES, (points[NAMES[i]] for i in (1, 0, 2, 4, 3)), strict=True))
    data = open_faces(write_labelme(tmp_path / 'x', made), flip_pairs='left_eye:right_eye,left_mouth:right_mouth')
    rows = np.stack([face['landmarks'] for face in data.faces]).astype(np.float64)
    assert swapped_by_shape(rows, np.ones(rows.shape[:2], bool), data.markup) == [4]


def test_turned_and_rolled_faces():
    def turn(index, face):
        five = MARKUPS['300w'].five
        for group, place in zip(five, [(0, 0), (0, 40), (-20, 0), (-40, 0), (-40, 40)], strict=True):
            face['landmarks'][list(group)] = place

    numbers = statistics(Changed(turn))  # the eyes one below the other, the nose beside the left one
    assert numbers['roll_degrees']['median'] == 90 and numbers['rolled_more_than_30_degrees'] == 12
    assert numbers['turned'] == {'left': 12, 'frontal': 0, 'right': 0}


def test_copied_pictures_and_leaks(write, tmp_path):
    rng = np.random.default_rng(0)
    made = [{'name': f'{i}.png', 'points': human_face(rng, NAMES)} for i in range(3)]
    folder = write_labelme(tmp_path / 'x', made)
    for i in range(2):
        write.picture(folder / f'{i}.png')
    write.picture(folder / '2.png', 100, 100)
    numbers = statistics(open_faces(folder))
    assert numbers['copied_pictures'] == 1 and [len(some) for some in numbers['copies']] == [2]
    files = [str(folder / f'{i}.png') for i in range(3)]
    assert shared_contents({'train': files[:1], 'val': files[2:]}) == []
    (note,) = shared_contents({'train': files[:1], 'val': files[1:]})
    assert note.startswith('1 pictures of val are in train')
