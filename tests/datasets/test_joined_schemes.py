"""Landmarks of two schemes in one network: the joined scheme, shared positions, archives of labels."""

from pathlib import Path

import numpy as np
import pytest

from facelmk.config import load_config
from facelmk.datasets import JoinedFaces, NpzFaces, ShareLandmarks, SyntheticFaces
from facelmk.datasets.open_faces import open_faces
from facelmk.errors import DataDefect, FacelmkError, MissingResource
from facelmk.markups import MARKUPS, convert
from facelmk.synthetic import draw

JOINED = MARKUPS['wflw_300w']


@pytest.mark.parametrize(('name', 'first'), [('wflw', 0), ('300w', 98)])
def test_each_scheme_is_unchanged_in_the_joined_one(name: str, first: int) -> None:
    size = MARKUPS[name].size
    points = np.random.default_rng(0).random((size, 2)).astype(np.float32)
    joined, visible = convert(points, np.ones(size, np.float32), name, JOINED.name)
    assert visible.sum() == size and visible[first : first + size].all()
    back, _ = convert(joined, visible, JOINED.name, name)
    assert np.array_equal(back, points)


def test_the_norm_and_the_mirror_are_those_of_both_schemes() -> None:
    assert JOINED.eyes == (98 + 36, 98 + 45)
    mirror = [*MARKUPS['wflw'].mirror, *(98 + MARKUPS['300w'].mirror)]
    assert JOINED.mirror.tolist() == mirror


def test_a_drawn_face_has_the_points_of_both() -> None:
    face, wflw, w300 = (draw(3, [5], 64, name).landmarks[0] for name in (JOINED.name, 'wflw', '300w'))
    assert np.array_equal(face, np.concatenate([wflw, w300]))
    for a, b in JOINED.same:
        assert np.array_equal(face[a], face[b])


def test_shared_positions_are_filled_and_nothing_visible_changes() -> None:
    points = np.random.default_rng(1).random((68, 2)).astype(np.float32)
    landmarks, visible = convert(points, np.ones(68, np.float32), '300w', JOINED.name)
    sample = ShareLandmarks().transform({'markup': JOINED, 'landmarks': landmarks, 'visible': visible})
    assert np.array_equal(sample['landmarks'][98:], points)
    assert sample['visible'].sum() == 68 + len(JOINED.same) == 68 + 60
    assert all(np.array_equal(sample['landmarks'][a], sample['landmarks'][b]) for a, b in JOINED.same)
    assert visible.sum() == 68  # the face of the data set is not changed


def test_a_scheme_without_same_points_stays_as_it_is() -> None:
    landmarks, visible = np.zeros((98, 2)), np.zeros(98)
    sample = ShareLandmarks().transform({'markup': MARKUPS['wflw'], 'landmarks': landmarks, 'visible': visible})
    assert not sample['visible'].any()


def write_labels(file: Path, **changes: np.ndarray) -> dict[str, np.ndarray]:
    points = np.random.default_rng(2).random((2, 166, 3)).astype(np.float32) * 100
    visible = np.ones((2, 166), np.float32)
    visible[1, :33] = 0
    columns = dict(
        names=np.array(['a.jpg', 'b.jpg']),
        points=points,
        visible=visible,
        boxes=np.array([[0, 0, 99, 99]] * 2, np.float32),
    )
    columns |= changes
    np.savez(file, **columns)
    return columns


def test_labels_of_an_archive(tmp_path: Path) -> None:
    columns = write_labels(tmp_path / 'labels.npz')
    faces = NpzFaces('labels.npz', str(tmp_path), markup=JOINED.name)
    assert [face['id'] for face in faces.faces] == ['a.jpg', 'b.jpg']
    assert np.array_equal(faces.face(1)['landmarks'], columns['points'][1, :, :2])
    assert np.array_equal(faces.face(1)['visible'], columns['visible'][1])
    assert faces.face(0)['box'].tolist() == [0, 0, 99, 99]
    detected = open_faces(tmp_path / 'labels.npz')
    assert detected.markup is JOINED and len(detected) == 2


@pytest.mark.parametrize(
    ('changes', 'name'),
    [
        ({'points': np.zeros((2, 166))}, "'points'"),
        ({'points': np.zeros((3, 166, 2))}, "'names'"),
        ({'names': np.array([1, 2])}, "'names'"),
        ({'visible': np.ones((2, 98))}, "'visible'"),
        ({'boxes': np.array([['a'] * 4] * 2)}, "'boxes'"),
        ({'names': np.array([{}, {}], object)}, 'labels.npz'),  # pickled objects are not read
    ],
)
def test_arrays_that_do_not_fit_are_named(changes: dict, name: str, tmp_path: Path) -> None:
    write_labels(tmp_path / 'labels.npz', **changes)
    with pytest.raises(DataDefect, match=name):
        NpzFaces('labels.npz', str(tmp_path), markup=JOINED.name)


def test_an_archive_without_points_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / 'labels.npz', names=np.array(['a.jpg']))
    with pytest.raises(DataDefect, match="'points'"):
        NpzFaces('labels.npz', str(tmp_path), markup=JOINED.name)
    with pytest.raises(MissingResource, match='others.npz'):
        NpzFaces('others.npz', str(tmp_path), markup=JOINED.name)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / 'labels.npz', names=np.array(['a.jpg']), points=np.zeros((1 << 15, 1 << 10, 2)))
    with pytest.raises(DataDefect, match='bytes'):
        NpzFaces('labels.npz', str(tmp_path), markup=JOINED.name)


@pytest.mark.parametrize('name', ['train_pipeline', 'train_pipeline_stage2'])
def test_faces_of_68_points_teach_60_of_the_98_in_the_pipelines_of_the_small_networks(name: str) -> None:
    """The network is trained on `points`, so the landmarks must be shared before the crop is cut."""
    config = load_config('facelmk_nano')
    hooks = [hook for hook in config.custom_hooks if hook['type'] == 'SwitchPipeline']
    pipeline = config.train_dataloader.dataset.pipeline if name == 'train_pipeline' else hooks[0]['pipeline']
    faces = JoinedFaces([SyntheticFaces(markup='300w', count=3, size=96)], 'wflw_300w', pipeline=pipeline)
    for i in range(3):
        sample = faces[i]['data_samples']
        visible, points = sample['visible'] > 0, sample['points']
        assert visible[:98].sum() == 60 and visible[98:].sum() == 68
        pairs = np.array([pair for pair in JOINED.same if pair[0] < 98 <= pair[1]])
        assert np.allclose(points[pairs[:, 0]], points[pairs[:, 1]])


def test_sharing_after_the_crop_is_refused() -> None:
    steps = [dict(type='CropFace', size=64), dict(type='ShareLandmarks'), dict(type='PackFace')]
    faces = JoinedFaces([SyntheticFaces(markup='300w', count=1, size=96)], 'wflw_300w', pipeline=steps)
    with pytest.raises(FacelmkError, match='before CropFace'):
        faces[0]
