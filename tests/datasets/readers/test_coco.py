"""MMPose's json and COCO-WholeBody's."""

import json

import numpy as np
import pytest

from facelmk.datasets import CocoFaces
from facelmk.errors import DataDefect


def read(file, markup='cofw', **options):
    return CocoFaces(file.name, file.parent, markup=markup, **options)


def test_center_and_scale_then_bbox_then_the_tight_box(tmp_path, faces, write):
    rows = faces(2, 29)
    rows[1] |= dict(centre=np.array([100.0, 60]), scale=0.3)  # away from its points
    full = write.json(tmp_path / 'full.json', rows)
    assert read(full).face(1)['box'] == pytest.approx([70, 30, 130, 90])
    assert read(full, box='bbox').face(1)['box'] == pytest.approx([65, 25, 125, 75])
    tight = read(full, box='tight').face(1)['box']
    assert read(write.json(tmp_path / 'bbox.json', rows, ('bbox',))).face(1)['box'] == pytest.approx([65, 25, 125, 75])
    assert np.array_equal(read(write.json(tmp_path / 'bare.json', rows, ())).face(1)['box'], tight)


@pytest.mark.parametrize(
    ('bbox', 'expected'),
    [
        ([-5, -7, 50, 60], [0, 0, 45, 53]),
        ([10, 20, 300, 400], [10, 20, 239, 239]),
        ([10, 20, 229, 219], [10, 20, 239, 239]),
    ],
)
def test_a_bbox_is_clipped_to_the_last_pixel(tmp_path, faces, write, bbox, expected):
    assert read(write.json(tmp_path / 'a.json', faces(1, 29), (), bbox=bbox)).face(0)['box'].tolist() == expected


@pytest.mark.parametrize(
    ('fields', 'norm'), [(('center', 'scale', 'box_size'), 90), (('center', 'scale'), 200 * 0.5), (('bbox',), None)]
)
def test_norm(tmp_path, faces, write, fields, norm):
    (row,) = faces(1, 29)
    row['scale'] = 0.5
    assert read(write.json(tmp_path / 'a.json', [row], fields)).face(0)['norm'] == norm


@pytest.mark.parametrize(('flag', 'visible'), [(0, 0), (1, 1), (2, 1), (0.4, np.float32(0.4))])
def test_visible_is_at_most_one(tmp_path, faces, write, flag, visible):
    face = read(write.json(tmp_path / 'a.json', faces(1, 29), flag=flag)).face(0)
    assert face['visible'].tolist() == [visible] * 29


def test_crowds_and_unlabelled_faces_are_skipped(tmp_path, faces, write):
    """`iscrowd` may be missing: MMPose's converter writes `is_crowd`, and its own reader fails on that."""
    file = write.json(tmp_path / 'a.json', faces(4, 29), ('bbox',), is_crowd=0)
    content = json.loads(file.read_text())
    content['annotations'][0]['iscrowd'] = 1
    content['annotations'][1]['keypoints'] = [0] * 87
    content['annotations'][2]['iscrowd'] = 0
    file.write_text(json.dumps(content))
    assert [face['id'] for face in read(file).faces] == ['2.png', '3.png']


def test_wholebody_faces(tmp_path, faces):
    points = faces(1, 68)[0]['points']
    body = dict(
        id=1,
        image_id=5,
        iscrowd=0,
        keypoints=[1] * 51,
        bbox=[0, 0, 9, 9],
        face_box=[30, 40, 50, 60],
        face_kpts=np.c_[points, np.full(68, 0.7)].ravel().tolist(),
        face_valid=True,
    )
    file = tmp_path / 'a.json'
    file.write_text(
        json.dumps(
            dict(
                images=[dict(id=5, file_name='5.jpg', width=640, height=480)],
                annotations=[body, body | dict(id=2, face_valid=False)],
            )
        )
    )
    (face,) = read(file, 'coco_wholebody_face').faces
    assert face['box'].tolist() == [30, 40, 80, 100] and np.allclose(face['visible'], 0.7)
    assert np.array_equal(face['landmarks'], points.astype(np.float32))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda content: content['annotations'][1]['keypoints'].pop(), 'annotation 2: 86 numbers, 87 expected'),
        (lambda content: content['annotations'][1].update(image_id=9), 'annotation 2: its picture 9 is not listed'),
        (lambda content: content['annotations'][1]['keypoints'].__setitem__(3, 'x'), "annotation 2: 'x' is no number"),
        (lambda content: content['annotations'][1].update(scale=float('nan')), 'record 2 .*not finite'),
        (lambda content: content.pop('images'), 'no COCO-style json'),
        (lambda content: content['annotations'].clear(), 'holds no face'),
    ],
)
def test_defects(tmp_path, faces, write, change, message):
    file = write.json(tmp_path / 'a.json', faces(3, 29))
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(DataDefect, match=message):
        read(file)


def test_a_file_that_is_no_json(tmp_path):
    (tmp_path / 'a.json').write_text('{"images": [')
    with pytest.raises(DataDefect, match='is no json'):
        read(tmp_path / 'a.json')
