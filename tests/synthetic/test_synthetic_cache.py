"""SyntheticFaces: rows as in every data set, and a cache that is created atomically."""

import pickle

import numpy as np
import pytest

from facelmk.errors import DataDefect
from facelmk.registry import DATASETS
from facelmk.synthetic import SyntheticFaces, cache, draw


def test_rows_are_the_drawn_faces():
    data = DATASETS.build({'type': 'SyntheticFaces', 'markup': '300w', 'count': 3, 'seed': 7, 'start': 5, 'size': 96})
    drawn = draw(7, [6], 96, '300w')
    row = data.face(1)
    assert len(data) == 3 and row['id'] == 'synthetic/7/6' and row['norm'] is None
    assert np.array_equal(row['image'], drawn.images[0]) and np.array_equal(row['landmarks'], drawn.landmarks[0])
    assert np.array_equal(row['box'], drawn.boxes[0])
    assert row['tags'] == drawn.tags[0]
    with pytest.raises(IndexError):
        data.face(3)


def test_hidden_points_count_as_visible_unless_hide_covered_is_set():
    drawn = draw(7, range(40), 64)
    shown, hidden = (SyntheticFaces(count=40, seed=7, size=64, hide_covered=hide) for hide in (False, True))
    assert all(shown.face(i)['visible'].all() for i in range(40))
    assert all(np.array_equal(hidden.face(i)['visible'], drawn.visible[i]) for i in range(40))
    assert not drawn.visible.all()


@pytest.mark.parametrize('workers', [1, 2])
def test_a_cache_holds_the_same_faces_and_is_used_again(tmp_path, monkeypatch, workers):
    monkeypatch.setattr(cache, 'BLOCK', 4)
    cached = SyntheticFaces(count=10, seed=2, size=64, cache=str(tmp_path), workers=workers)
    assert [folder.name for folder in tmp_path.iterdir()] == [cached.cache.name]
    monkeypatch.setattr(cache, 'draw_face', None)  # the cache serves all landmark schemes, so nothing is drawn again
    again = SyntheticFaces('lapa', count=10, seed=2, size=64, cache=str(tmp_path), hide_covered=True)
    monkeypatch.undo()
    fresh = SyntheticFaces('lapa', count=10, seed=2, size=64, hide_covered=True)
    for index in (0, 9):
        one, other = again.face(index), fresh.face(index)
        assert all(np.array_equal(one[key], other[key]) for key in ('image', 'landmarks', 'visible', 'box'))
        assert one['tags'] == other['tags'] and one['id'] == other['id']
    one['image'][:] = 0  # a row is a copy: writing to it does not change the cache
    assert again.face(9)['image'].any()


@pytest.mark.parametrize(
    'damage',
    [
        lambda file: np.save(file, np.array([{}, {}], object)),
        lambda file: np.save(file, np.zeros((2, 3), np.float32)),
        lambda file: file.write_bytes(b''),
        lambda file: file.write_bytes(file.read_bytes()[:-9]),
        lambda file: file.write_bytes(file.read_bytes()[:20]),
        lambda file: file.unlink(),
    ],
    ids=['objects', 'another shape', 'empty', 'cut off', 'cut in its header', 'missing'],
)
def test_a_damaged_cache_is_refused_when_it_is_opened(tmp_path, damage):
    data = SyntheticFaces(count=2, size=64, cache=str(tmp_path), workers=1)
    damage(data.cache / 'landmarks.npy')
    with pytest.raises(DataDefect, match=f'landmarks.npy.*{data.cache}'):
        SyntheticFaces(count=2, size=64, cache=str(tmp_path), workers=1)


def test_the_pipeline_runs_on_the_drawn_image():
    data = SyntheticFaces(count=1, size=128, pipeline=[{'type': 'LoadImage'}, {'type': 'CropFace', 'size': 64}])
    sample = data[0]
    assert sample['image'].shape == (64, 64, 3) and sample['points'].shape == (98, 2)
    ones = np.ones((98, 1))
    moved = np.hstack([sample['landmarks'], ones]) @ np.asarray(sample['warp']).T
    assert np.allclose(moved[:, :2], sample['points'], atol=1e-2)
    assert sample['points'].min() > -2 and sample['points'].max() < 66


def test_a_worker_opens_the_cache_again(tmp_path):
    data = SyntheticFaces(count=4, size=64, cache=str(tmp_path), workers=1)
    data.face(0)
    packed = pickle.dumps(data)
    assert len(packed) < 20000 and np.array_equal(pickle.loads(packed).face(2)['image'], data.face(2)['image'])


def test_wrong_arguments_are_refused():
    with pytest.raises(DataDefect, match='count=0'):
        SyntheticFaces(count=0)
    with pytest.raises(DataDefect, match='five'):
        SyntheticFaces('five')
