"""COFW's .mat files, which also contain the pictures."""

import json
import sys

import numpy as np
import pytest

from facelmk.datasets import CocoFaces, CofwMat, LoadImage
from facelmk.errors import DataDefect, MissingResource

h5py = pytest.importorskip('h5py', reason='COFW needs h5py')


@pytest.fixture
def mat(tmp_path, faces, write):
    """Three faces as MATLAB stores them: columns first; the third picture is grey."""
    rows = faces(3, 29)
    rows[0]['points'][4] = [0.25, 3.5]  # left of the first pixel once one is subtracted
    rng = np.random.default_rng(0)
    pictures = [
        rng.integers(0, 256, (3, 240, 200), np.uint8),
        rng.integers(0, 256, (3, 90, 100), np.uint8),
        rng.integers(0, 256, (240, 200), np.uint8),
    ]
    boxes = [[-3, 5, 40, 60], [10, 20, 300, 400], [7, 8, 50, 60]]
    return write.mat(tmp_path / 'COFW_test_color.mat', rows, pictures, boxes), rows, pictures


def test_points_boxes_and_occluded_points(mat):
    file, rows, _ = mat
    data = CofwMat(file.name, file.parent, markup='cofw')
    assert [face['id'] for face in data.faces] == [f'{file.name}#{i}' for i in (1, 2, 3)]
    for face, row in zip(data.faces, rows, strict=True):
        assert np.array_equal(face['landmarks'], row['points'].astype(np.float32))
        assert face['visible'].tolist() == [1] * 29 and face['norm'] is None
    assert [face['box'].tolist() for face in data.faces] == [[0, 5, 40, 65], [10, 20, 89, 99], [7, 8, 57, 68]]


def test_origin_one_equals_the_json_of_mmpose(mat, write):
    file, rows, pictures = mat
    converted = [row | dict(points=np.maximum(row['points'] - 1, 0), name=f'{i}.jpg') for i, row in enumerate(rows)]
    write.json(file.parent / 'a.json', converted, ())
    boxes = [[0, 5, 40, 60], [10, 20, 300, 400], [7, 8, 50, 60]]
    content = json.loads((file.parent / 'a.json').read_text())
    for i, (box, stored) in enumerate(zip(boxes, pictures, strict=True)):
        content['annotations'][i]['bbox'] = box
        content['images'][i].update(width=stored.shape[-2], height=stored.shape[-1])
    (file.parent / 'a.json').write_text(json.dumps(content))
    ours = CofwMat(file.name, file.parent, markup='cofw', origin=1)
    theirs = CocoFaces('a.json', file.parent, markup='cofw')
    for one, other in zip(ours.faces, theirs.faces, strict=True):
        assert np.array_equal(one['box'], other['box'])
        assert np.abs(one['landmarks'] - other['landmarks']).max() < 1e-5
    assert ours.face(0)['landmarks'][4].tolist() == [0, 2.5]


def test_a_face_contains_its_image_upright_and_in_bgr(mat):
    file, _, pictures = mat
    data = CofwMat(file.name, file.parent, markup='cofw', pipeline=[LoadImage()])
    images = [data[i]['image'] for i in range(3)]
    assert [image.shape for image in images] == [(200, 240, 3), (100, 90, 3), (200, 240, 3)]
    assert images[0][7, 11].tolist() == pictures[0][::-1, 11, 7].tolist()
    assert images[2][7, 11].tolist() == [pictures[2][11, 7]] * 3
    assert 'record' not in data[0]


def test_defects(tmp_path):
    with pytest.raises(MissingResource, match='is not there'):
        CofwMat('none.mat', tmp_path, markup='cofw')
    with h5py.File(tmp_path / 'other.mat', 'w') as file:
        file['x'] = 1
    with pytest.raises(DataDefect, match='neither phisTr nor phisT'):
        CofwMat('other.mat', tmp_path, markup='cofw')


def test_without_h5py_the_error_says_what_to_install(mat, monkeypatch):
    monkeypatch.setitem(sys.modules, 'h5py', None)
    with pytest.raises(MissingResource, match='pip install h5py') as error:
        CofwMat(mat[0].name, mat[0].parent, markup='cofw')
    assert error.value.exit_code == 3
