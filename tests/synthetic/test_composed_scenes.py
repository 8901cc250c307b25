"""Composed scenes: the same ones from the same seed, true boxes, scenes without a face, faces that are ignored."""

import numpy as np
import pytest
from torch.utils.data import DataLoader

from facelmk import geometry
from facelmk.datasets import FaceDataset, FaceSampler
from facelmk.errors import FacelmkError
from facelmk.synthetic import ComposedScenes
from facelmk.synthetic.scenes.paste import Placement, Pyramid, paste, rectangle

MAGENTA = np.array([255, 0, 255], np.uint8)
DRAWN = dict(type='SyntheticFaces', markup='aflw', count=3, size=96)


class MagentaFaces(FaceDataset):
    """Faces that are a magenta square on grey, a colour that nothing else has, with landmarks at its corners."""

    def __init__(self):
        super().__init__('five')

    def __len__(self):
        return 2

    def face(self, index):
        image = np.full((100, 100, 3), 128, np.uint8)
        image[30:70, 30:70] = MAGENTA
        points = np.array([[30, 30], [69, 30], [50, 50], [30, 69], [69, 69]], np.float32)
        ones = np.ones(5, np.float32)
        return dict(id=index, path='', image=image, box=ones[:4], landmarks=points, visible=ones, norm=None, tags=())


def composed(**options):
    return ComposedScenes(**{'faces': [MagentaFaces()], 'count': 40, 'size': 96} | options)


@pytest.fixture
def without_camera(monkeypatch):
    """Scenes with their exact colours, and no pieces of faces."""
    monkeypatch.setattr('facelmk.synthetic.scenes.compose.take_photograph', lambda scene, rng: scene)
    monkeypatch.setattr('facelmk.synthetic.scenes.compose.FRAGMENTS', (lambda portrait, rng: None,))
    monkeypatch.setattr('facelmk.synthetic.scenes.compose._gain', lambda rng: None)
    monkeypatch.setattr('facelmk.synthetic.scenes.compose.clothes_or_hair', lambda portrait, rng: None)


def magenta(image):
    return (np.abs(image.astype(int) - MAGENTA).max(-1) < 60).sum()


def test_a_scene_depends_on_seed_and_number_alone():
    first, second = composed(seed=3, faces=[DRAWN]), composed(seed=3, faces=[DRAWN], start=2)
    scene, same = first.scene(4), second.scene(2)
    assert (scene['image'] == same['image']).all() and scene['boxes'].tolist() == same['boxes'].tolist()
    assert scene['id'] == same['id']
    assert (first.scene(5)['image'] != scene['image']).any()
    assert (composed(seed=4, faces=[DRAWN]).scene(4)['image'] != scene['image']).any()


def test_new_scenes_in_each_epoch_only_if_wanted():
    fixed, renewed = composed(), composed(renew=True)
    assert (fixed[1, 2, 3]['image'] == fixed[5, 6, 3]['image']).all()
    assert (renewed[1, 2, 3]['image'] == renewed[1, 2, 3]['image']).all()
    assert (renewed[1, 2, 3]['image'] != renewed[1, 3, 3]['image']).any()
    assert (renewed[1, 2, 3]['image'] != renewed[2, 2, 3]['image']).any()


def test_workers_change_nothing():
    data = composed(renew=True, count=6)
    sampler = FaceSampler(data, shuffle=True, seed=5)
    images = [[scene['image'] for scene in DataLoader(data, None, sampler=sampler, num_workers=n)] for n in (0, 1)]
    assert np.array_equal(*[np.stack(list(map(np.asarray, row))) for row in images])


def test_boxes_are_tight_around_the_pasted_faces(without_camera):
    """Scenes with one face: the magenta pixels lie in its box and fill the middle of it."""
    differences = []
    for index in range(60):
        scene = composed(most_faces=1, faceless=0, count=60, face_px=(40, 80)).scene(index)
        (box,) = scene['boxes']
        if scene['ignored'][0] or (box < 0).any() or (box > 95).any():
            continue
        y, x = np.nonzero(np.abs(scene['image'].astype(int) - MAGENTA).max(-1) < 60)
        found = np.array([x.min(), y.min(), x.max(), y.max()])
        differences.append(np.abs(found - box).max())
    assert len(differences) > 10 and np.mean(np.array(differences) < 3.5) > 0.9  # few shapes have a similar colour


def test_scenes_without_a_face_hold_none(without_camera):
    scenes = [composed(faceless=1).scene(i) for i in range(40)]
    assert all(scene['boxes'].shape == (0, 4) and scene['ignored'].shape == (0,) for scene in scenes)
    assert np.mean([magenta(scene['image']) < 60 for scene in scenes]) > 0.9  # few backgrounds have a similar colour
    assert not any(len(composed(most_faces=0).scene(i)['boxes']) for i in range(10))


def test_the_share_of_scenes_without_a_face_and_the_number_of_faces():
    counts = [len(composed(size=64, faceless=0.5).scene(i)['boxes']) for i in range(40)]
    assert 10 < counts.count(0) < 30 and max(counts) <= 6 and len(set(counts)) > 3


def test_a_whole_picture_near_or_far(monkeypatch):
    """Its box lies around the magenta square; faces that are too large or cut off are ignored."""
    monkeypatch.setattr('facelmk.synthetic.scenes.whole_picture.take_photograph', lambda scene, rng: scene)
    sides, seen = [], 0
    for scene in map(composed(whole=1, count=60).scene, range(60)):
        [box], [ignored] = scene['boxes'], scene['ignored']
        sides.append((box[2:] - box[:2]).max())
        assert ignored or sides[-1] <= 115 + 1e-3
        if not ignored and (box > 0).all() and (box < 95).all():
            y, x = np.nonzero(np.abs(scene['image'].astype(int) - MAGENTA).max(-1) < 60)
            found = np.array([x.min(), y.min(), x.max(), y.max()])
            assert np.abs(found - box).max() < 5  # a box around a square that is turned
            seen += 1
    assert seen > 15 and min(sides) < 15 and max(sides) > 120


def test_hidden_cut_and_upside_down_faces_are_ignored():
    scenes = [composed(count=50, size=64, faceless=0, face_px=(40, 180)).scene(i) for i in range(50)]
    cut = [
        (box, ignored)
        for scene in scenes
        for box, ignored in zip(scene['boxes'], scene['ignored'], strict=True)
        if np.prod(np.clip(box[2:], 0, 64) - np.clip(box[:2], 0, 64)) < 0.45 * np.prod(box[2:] - box[:2])
    ]
    assert cut and all(ignored for _, ignored in cut)
    assert 0.01 < np.mean(np.concatenate([scene['ignored'] for scene in scenes])) < 0.3


def test_a_mirrored_placement_mirrors_about_the_anchor():
    warp = Placement((50, 40), 2, 0, mirrored=True).warp(np.array([10, 20]))
    assert np.allclose(geometry.apply(warp, [[10.0, 20], [13, 21]]), [[50, 40], [44, 42]])


def test_paste_changes_the_inside_of_the_outline_alone():
    scene, picture = np.zeros((60, 60, 3), np.uint8), np.full((20, 20, 3), 200, np.uint8)
    mask = paste(scene, Pyramid(picture), Placement((30, 30), 1).warp(np.array([9.5, 9.5])), rectangle(picture), 0)
    assert (scene[23:37, 23:37] == 200).all() and scene[:19].max() == 0 and scene[:, 42:].max() == 0
    alpha = np.pad(mask.alpha, [(mask.top, 0), (mask.left, 0)])
    assert ((alpha > 0) == (scene[: alpha.shape[0], : alpha.shape[1], 0] > 0)).all()
    assert mask.covered_share(np.array([20, 20, 29, 39])) == pytest.approx(1)
    assert mask.covered_share(np.array([0, 30, 39, 49])) == pytest.approx(0.25, abs=0.05)
    assert mask.covered_share(np.array([0, 0, 10, 10])) == 0
    assert paste(scene, Pyramid(picture), Placement((-90, 30), 1).warp(np.zeros(2)), rectangle(picture), 0) is None


def test_wrong_lists_of_faces_are_refused():
    with pytest.raises(FacelmkError, match='weights'):
        composed(weights=[1, 2])
    with pytest.raises(FacelmkError, match='at least one'):
        composed(faces=[])
    with pytest.raises(IndexError):
        composed().scene(40)
