"""Boxes of a detector for annotated faces: matching, files in each form, crops, and files that do not fit."""

import json
from pathlib import Path

import numpy as np
import pytest

from facelmk.datasets import collate_faces
from facelmk.datasets.base import with_reader_options
from facelmk.datasets.box_file import match_boxes, overlaps
from facelmk.errors import DataDefect, FacelmkError, MissingResource
from facelmk.registry import DATASETS

PIPELINE = [dict(type='LoadImage'), dict(type='CropFace', size=32), dict(type='PackFace')]


def test_overlaps_by_hand():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 0, 0]], float)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 10, 20, 20]], float)
    expected = [[1, 50 / 150, 0]] * 3 + [[0, 0, 0]]
    np.testing.assert_allclose(overlaps(boxes, others), expected)


@pytest.mark.parametrize(
    ('boxes', 'detections', 'expected'),
    [
        ([[0, 0, 10, 10]], [[20, 20, 30, 30], [1, 0, 11, 10]], [1]),
        ([[0, 0, 10, 10], [4, 0, 14, 10]], [[3, 0, 13, 10]], [-1, 0]),  # one detection belongs to one face
        ([[0, 0, 10, 10], [4, 0, 14, 10]], [[3, 0, 13, 10], [0, 0, 10, 9]], [1, 0]),
        ([[0, 0, 10, 10]], [[8, 0, 18, 10]], [-1]),  # 20 / 180
        ([[np.nan] * 4, [0, 0, 10, 10]], [[0, 0, 10, 10]], [-1, 0]),
    ],
)
def test_a_face_takes_the_detection_that_overlaps_most(boxes, detections, expected):
    assert match_boxes(np.array(boxes, float), np.array(detections, float), 0.3).tolist() == expected
    assert match_boxes(np.array(boxes, float), np.zeros((0, 4)), 0.3).tolist() == [-1] * len(boxes)


@pytest.fixture
def folder(tmp_path, faces, write, monkeypatch):
    """Four faces in three pictures, as json and as a table: 0.png is not there, 1.png holds two."""
    monkeypatch.chdir(tmp_path)
    people = faces(4, 5)
    write.json(tmp_path / 'a.json', people, fields=('center', 'scale'))
    write.csv(tmp_path / 'a.csv', people)
    for person in people:
        write.picture(tmp_path / 'images' / person['name'])
    return tmp_path


def reader(folder: Path, kind='CocoFaces', **options):
    file = 'a.csv' if kind == 'CsvFaces' else 'a.json'
    images = 'data_prefix' if kind == 'WFLWDataset' else 'image_root'
    return DATASETS.build(
        dict(type=kind, data_root=str(folder), ann_file=file, markup='five', **{images: 'images'}, **options)
    )


def moved(box, by=4.0):
    """A detected box beside an annotated one, as x, y, width, height."""
    x1, y1, x2, y2 = box
    return [float(x1 + by), float(y1), float(x2 - x1), float(y2 - y1)]


def detections(dataset, name=lambda face, ids: ids[face['path']], leave_out=()):
    ids = {path: number for number, path in dataset.picture_ids().items()}
    return [
        dict(image_id=name(face, ids), bbox=moved(face['box']), score=0.9, category_id=1)
        for i, face in enumerate(dataset.faces)
        if i not in leave_out
    ]


def write_boxes(folder, rows):
    (folder / 'boxes.json').write_text(json.dumps(rows))
    return str(folder / 'boxes.json')


FORMS = {
    'ids': lambda rows, data: rows,
    'names': lambda rows, data: [row | {'image_id': Path(data.picture_ids()[row['image_id']]).name} for row in rows],
    'paths': lambda rows, data: [row | {'image_id': data.picture_ids()[row['image_id']]} for row in rows],
    'dict': lambda rows, data: {
        data.picture_ids()[number]: [
            [x, y, x + w, y + h] for x, y, w, h in (row['bbox'] for row in rows if row['image_id'] == number)
        ]
        for number in {row['image_id'] for row in rows}
    },
}


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', ['CocoFaces', 'CsvFaces', 'WFLWDataset'])
def test_each_face_is_cropped_by_its_detection(form, kind, folder):
    json_faces = reader(folder)
    rows = FORMS[form](detections(json_faces), json_faces)
    file = write_boxes(folder, rows)
    if kind == 'CsvFaces' and form == 'ids':
        with pytest.raises(DataDefect, match='image_id=0'):
            reader(folder, kind, bbox_file=file)
        return
    data = reader(folder, kind, bbox_file=file, pipeline=PIPELINE)
    for face, plain in zip(data.faces, json_faces.faces, strict=True):
        x, y, w, h = moved(plain['box'])
        np.testing.assert_allclose(face['detection'], [x, y, x + w, y + h], atol=1e-3)
    batch = collate_faces([data[i] for i in range(4)])['data_samples']
    assert np.array_equal(batch['detection'].numpy(), np.stack([face['detection'] for face in data.faces]))
    assert np.array_equal(batch['box'].numpy(), np.stack([face['box'] for face in data.faces]))
    centre = (batch['detection'][:, :2] + batch['detection'][:, 2:]).double() / 2
    middle = (batch['warp'][:, :2, :2] @ centre[..., None])[..., 0] + batch['warp'][:, :2, 2]
    np.testing.assert_allclose(middle.numpy(), 16.0, atol=1e-3)


@pytest.mark.fault('R02')
def test_a_face_without_a_detection_is_cropped_by_its_box_and_marked(folder, monkeypatch):
    lines = []
    monkeypatch.setattr('mmengine.logging.print_log', lambda text, **_: lines.append(text))
    plain = reader(folder, pipeline=PIPELINE)
    far = dict(image_id=1, bbox=[0, 0, 3, 3], score=0.5)
    file = write_boxes(folder, [*detections(plain, leave_out=[1, 3]), far])
    data = reader(folder, bbox_file=file, pipeline=PIPELINE)
    assert [bool(np.isfinite(face['detection']).all()) for face in data.faces] == [True, False, True, False]
    for i in (1, 3):
        expected, actual = plain[i]['data_samples'], data[i]['data_samples']
        assert np.array_equal(actual['warp'], expected['warp']) and np.isnan(actual['detection']).all()
        assert np.array_equal(expected['detection'], expected['box'])
    (line,) = [line for line in lines if 'detected box' in line]
    assert '2 of 4' in line and '2 have none' in line and '1 boxes belong to no face' in line


def test_boxes_of_other_categories_are_left_out(folder):
    rows = detections(reader(folder))
    rows[2]['category_id'] = 3
    data = reader(folder, bbox_file=write_boxes(folder, rows))
    assert np.isnan(data.faces[2]['detection']).all() and np.isfinite(data.faces[3]['detection']).all()


@pytest.mark.fault('R03')
@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        ([], 'none of the 4 faces'),
        ([dict(image_id=77, bbox=[0, 0, 9, 9], score=1)], 'row 1: image_id=77'),
        ([dict(image_id='other.png', bbox=[0, 0, 9, 9], score=1)], 'none of the 4 faces'),
        ([dict(image_id=0, bbox=[0, 0, -9, 9], score=1)], r'row 1: bbox=\[0, 0, -9, 9\]'),
        ([dict(image_id=0, bbox=[0, 0, float('nan'), 9], score=1)], 'row 1: bbox='),
        ([dict(image_id=0, bbox=[0, 0, 9], score=1)], 'bbox'),
        ([dict(image_id=0, bbox='left', score=1)], 'bbox'),
        ([dict(image_id=0, score=1)], 'bbox'),
        ([dict(image_id=[0], bbox=[0, 0, 9, 9])], 'bbox'),
        ([3], 'image_id'),
        ('text', 'image_id'),
        (5, 'image_id'),
        ({'0.png': 'full', '1.png': 'full'}, "'full'"),
        ({'0.png': [[1, 2, 3]]}, 'shape'),
        ({'x/1.png': [[0, 0, 9, 9]], 'y/1.png': [[0, 0, 9, 9]]}, '2 entries'),
    ],
    ids=str,
)
def test_a_file_that_does_not_fit_names_itself_and_the_row(rows, message, folder):
    with pytest.raises(DataDefect, match=message) as raised:
        reader(folder, bbox_file=write_boxes(folder, rows))
    assert 'boxes.json' in str(raised.value)


def test_a_missing_file_and_a_json_that_ends_early(folder):
    with pytest.raises(MissingResource, match=r'none\.json'):
        reader(folder, bbox_file='none.json')
    (folder / 'cut.json').write_text('[{"image_id": 0, "bbox": [0, 0')
    with pytest.raises(DataDefect, match=r'cut\.json'):
        reader(folder, bbox_file=str(folder / 'cut.json'))


def test_a_published_set_and_a_joined_one_take_the_file(folder):
    file = write_boxes(folder, detections(reader(folder)))
    layout = dict(type='CocoFaces', ann_file='a.json', image_root='images')
    published = dict(type='PublishedFaces', root=str(folder), split='test', layouts=[layout], markup='five')
    joined = dict(type='JoinedFaces', datasets=[dict(dataset=published, name='p')])
    for config in (published, dict(type='RepeatedFaces', dataset=published, times=2), joined):
        face = DATASETS.build(with_reader_options(config, bbox_file=file)).face(3)
        assert np.isfinite(face['detection']).all()
    with pytest.raises(FacelmkError):  # a file for other pictures
        DATASETS.build(with_reader_options(joined, bbox_file=write_boxes(folder, {})))
