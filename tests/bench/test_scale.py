"""The part `scale` of the benchmark, with few faces: both sides hold the same ones, and packed files cost less."""

import numpy as np
import pytest

from facelmk.bench import scale
from facelmk.bench.baseline.annotations import PickledFaces
from facelmk.datasets import CocoFaces, packing

pytestmark = pytest.mark.skipif(not scale.STATUS.exists(), reason='needs Linux')


def test_both_sides_hold_the_same_faces(tmp_path):
    scale.write_annotations(tmp_path / 'a.json', 3)
    ours, theirs = CocoFaces('a.json', tmp_path), PickledFaces(tmp_path / 'a.json')
    assert len(ours) == len(theirs) == 3
    for i in range(3):
        one, other = ours.face(i), theirs.face(i)
        assert np.array_equal(one['landmarks'], other['keypoints'][0])
        assert one['box'] == pytest.approx(other['bbox'][0], abs=1e-3)
        assert one['id'] == other['img_path'] and other['keypoints_visible'].all()


def test_rows_of_a_packed_set(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, 'MIN_BYTES', 0)
    files = tmp_path / 'a.json', tmp_path / 'b.json'
    for file, count in zip(files, (1500, 500), strict=True):
        scale.write_annotations(file, count)
    first, second, kept, loader, face = scale.compare_starts(*files, tmp_path / 'packed', 1500)
    assert 'times 3' in first.note and '1,500' in first.quantity and 'too few' not in first.quantity
    assert second.ours.cpu < first.ours.cpu / 2
    assert kept.ours.size < 6e6 < kept.peer.size
    assert loader.ours.size < 8e6 and face.ours.cpu > 0
