"""Scenes: boxes from annotated faces, the square that a detector sees, packing, and batches."""

import cv2
import numpy as np
import pytest

from facelmk import geometry
from facelmk.datasets import (
    AnnotatedFaces,
    FacesInPictures,
    FitScene,
    JoinedFaces,
    PackScene,
    SceneDataset,
    collate_scenes,
)
from facelmk.errors import FacelmkError
from facelmk.registry import FUNCTIONS

POINTS = np.array(
    [[[10, 20], [30, 60], [25, 40.5], [12, 33], [20, 21]], [[70, 10], [90, 31], [80, 20], [75, 15], [85, 25]]]
)


class ThreeFaces(AnnotatedFaces):
    """Two faces in a.png, one in b.png, without a file of annotations."""

    def read(self, file):
        points = np.concatenate([POINTS, POINTS[:1] + 5])
        return self.rows(file, ['a.png', 'a.png', 'b.png'], points, [[0, 0, 20, 20]] * 3, tags=[('pose',), (), ()])


class OnePicture(SceneDataset):
    """A picture (60, 100, 3) of noise with two faces."""

    def __len__(self):
        return 1

    def scene(self, index):
        image = np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)
        boxes = np.stack([geometry.exact_box(points) for points in POINTS])
        return dict(id='one', path='', image=image, boxes=boxes, ignored=np.zeros(2, bool), tags=('noise',))


def fitted(seed=0, **options):
    return OnePicture([FitScene(**options)])[seed, 0, 0]


def test_each_picture_is_one_scene_with_the_tight_boxes_of_its_faces():
    data = FacesInPictures(ThreeFaces(markup='five', image_root='', data_root=''))
    assert len(data) == 2
    first, second = data.scene(0), data.scene(1)
    assert first['path'] == 'a.png' and first['tags'] == ('pose',)
    assert first['boxes'].tolist() == [[10, 20, 30, 60], [70, 10, 90, 31]] and first['boxes'].dtype == np.float32
    assert second['boxes'].tolist() == [[15, 25, 35, 65]] and not second['ignored'].any()


def test_joined_sets_keep_the_faces_of_a_picture_together():
    faces = ThreeFaces(markup='five', image_root='', data_root='')
    data = FacesInPictures(JoinedFaces([faces, ThreeFaces(markup='five', image_root='other', data_root='')]))
    assert [len(data.scene(i)['boxes']) for i in range(len(data))] == [2, 1, 2, 1]
    with pytest.raises(FacelmkError, match='weights'):
        FacesInPictures(JoinedFaces([faces], weights=[0.5]))


def test_faces_in_pictures_refuses_what_holds_no_faces():
    with pytest.raises(FacelmkError, match='OnePicture'):
        FacesInPictures(OnePicture())
    with pytest.raises(FacelmkError, match='pipeline'):
        FacesInPictures(ThreeFaces(markup='five', pipeline=[lambda sample: sample]))


def test_the_whole_picture_is_fitted_into_the_square():
    scene = fitted(size=50, min_face=5)
    assert scene['image'].shape == (50, 50, 3)
    assert not scene['image'][:9].any() and not scene['image'][-9:].any() and scene['image'][12:38].any(-1).all()
    # the left edge, -0.5, stays; the upper edge is 10 pixels lower: 15 rows of 100 become 50 / 100 of that
    assert np.allclose(geometry.apply(scene['warp'], [[-0.5, -0.5], [99.5, 59.5]]), [[-0.5, 9.5], [49.5, 39.5]])
    assert scene['ignored'].tolist() == [False, False]


def test_crop_boxes_are_the_tight_boxes_of_the_warped_landmarks():
    for seed in range(20):
        scene = fitted(seed, size=64, scale=(0.5, 2), flip=0.5)
        faces = [points for points in POINTS if geometry.exact_box(points).tolist() in scene['boxes'].tolist()]
        expected = [geometry.exact_box(geometry.apply(scene['warp'], points)) for points in faces]
        assert np.allclose(scene['crop_boxes'], np.reshape(expected, (-1, 4)), atol=1e-4)


def test_a_mirrored_scene_is_the_mirror_image():
    plain, mirrored = fitted(3, size=64, scale=(1.2, 1.2)), fitted(3, size=64, scale=(1.2, 1.2), flip=1)
    difference = cv2.absdiff(plain['image'][:, ::-1].copy(), mirrored['image'])
    assert difference.max() <= 2
    expected = plain['crop_boxes'][:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (63, 0, 63, 0)
    assert np.allclose(mirrored['crop_boxes'], expected, atol=1e-4)
    assert mirrored['boxes'].tolist() == plain['boxes'].tolist()


def test_a_chosen_face_gets_the_wanted_size():
    for seed in range(20):
        scene = fitted(seed, size=64, faces=(24, 30))
        sides = (scene['crop_boxes'][:, 2:] - scene['crop_boxes'][:, :2]).max(1)
        is_chosen = (sides > 23.99) & (sides < 30.01)
        assert (
            is_chosen.any()
            and ((scene['crop_boxes'][is_chosen] > -1) & (scene['crop_boxes'][is_chosen] < 65)).all(1).any()
        )


def test_small_and_cut_faces_are_ignored_and_absent_ones_are_removed():
    assert fitted(size=50, min_face=15)['ignored'].tolist() == [False, True]  # 20 and 10.5 pixels high
    seen = set()
    for seed in range(40):
        scene = fitted(seed, size=40, scale=(4, 4), min_face=0)
        clipped = np.clip(scene['crop_boxes'], -0.5, 39.5)
        share = np.prod(clipped[:, 2:] - clipped[:, :2], 1) / np.prod(
            scene['crop_boxes'][:, 2:] - scene['crop_boxes'][:, :2], 1
        )
        assert (share > 0).all() and scene['ignored'].tolist() == (share < 0.5).tolist()
        seen |= {f'{len(share)} faces', *map(str, scene['ignored'])}
    assert {'0 faces', '1 faces', 'True', 'False'} <= seen


def test_a_large_picture_is_averaged_when_it_becomes_small():
    image = np.zeros((400, 400, 3), np.uint8)
    image[:, ::2] = 255  # without averaging, a column is either black or white
    scene = dict(image=image, boxes=np.zeros((0, 4)), rng=np.random.default_rng(0))
    small = FitScene(size=50)(scene)['image']
    assert np.abs(small.astype(int) - 127).max() <= 2


def test_packed_scenes_become_a_batch():
    data = OnePicture([FitScene(size=64), PackScene()])
    batch = FUNCTIONS.get('facelmk.collate_scenes')([data[0], data[1, 0, 0]])
    assert batch['inputs'].shape == (2, 3, 64, 64) and batch['inputs'].dtype.is_floating_point is False
    truth = batch['data_samples']
    assert truth['id'] == ['one', 'one'] and truth['warp'].shape == (2, 3, 3) and truth['tags'] == [('noise',)] * 2
    assert [boxes.shape for boxes in truth['crop_boxes']] == [(2, 4)] * 2
    assert [ignored.tolist() for ignored in truth['ignored']] == [[False, False]] * 2


def test_a_pipeline_in_the_wrong_order_is_refused():
    with pytest.raises(FacelmkError, match='FitScene'):
        OnePicture([PackScene()])[0]
    with pytest.raises(FacelmkError, match='PackScene'):
        collate_scenes([OnePicture()[0]])
