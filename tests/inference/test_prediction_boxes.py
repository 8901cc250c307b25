"""Boxes as text and in files."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from facelmk import DataDefect, FacelmkError, MissingResource
from facelmk.inference.boxes import parse_boxes


def test_boxes_as_text() -> None:
    assert parse_boxes('full')('any.jpg') == 'full'
    assert parse_boxes('1,2,30,40')('any.jpg').tolist() == [[1, 2, 30, 40]]
    assert parse_boxes(' 1, 2.5,30,40 ; 0,0,9,9;')('any.jpg').tolist() == [[1, 2.5, 30, 40], [0, 0, 9, 9]]


@pytest.mark.parametrize('text', ['half', '1,2,3', '1,2,3,x', '1,2,3,4,5', '1 2 3 4'])
def test_other_text_is_refused(text) -> None:
    with pytest.raises(FacelmkError, match=f'--boxes {text}.*x1,y1,x2,y2'):
        parse_boxes(text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_json_by_path_and_by_name(folder) -> None:
    (folder / 'set').mkdir()
    rows = {'a.jpg': [[1, 2, 3, 4]], 'x/b.jpg': [5, 6, 7, 8], 'y/b.jpg': [], 'c d.jpg': 'full', 'ü.png': [[0, 0, 1, 1]]}
    (folder / 'set' / 'boxes.json').write_text(json.dumps(rows))
    boxes = parse_boxes('set/boxes.json')
    assert boxes('set/a.jpg').tolist() == [[1, 2, 3, 4]]  # from the folder of the file
    assert boxes(os.path.abspath('set/x/b.jpg')).tolist() == [[5, 6, 7, 8]]
    assert boxes('x/b.jpg').tolist() == [[5, 6, 7, 8]] and boxes('y/b.jpg').shape == (0, 4)  # from the current one
    assert boxes('elsewhere/a.jpg').tolist() == [[1, 2, 3, 4]]  # by the name, which only one entry has
    assert boxes('c d.jpg') == 'full' and boxes('ü.png').tolist() == [[0, 0, 1, 1]]
    with pytest.raises(DataDefect, match='2 .*elsewhere/b.jpg'):
        boxes('elsewhere/b.jpg')
    with pytest.raises(DataDefect, match='no .*z.jpg'):
        boxes('z.jpg')


def test_the_json_of_predict_can_be_read(folder) -> None:
    faces = [dict(box=[1, 2, 3, 4], landmarks=[]), dict(box=[5, 6, 7, 8])]
    (folder / 'p.json').write_text(json.dumps([{'path': 'a.jpg', 'faces': faces}, {'path': 'b.jpg', 'faces': []}]))
    boxes = parse_boxes('p.json')
    assert boxes('a.jpg').tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]] and len(boxes('b.jpg')) == 0


def test_csv_with_and_without_a_header(folder) -> None:
    rows = 'a b.jpg,1,2,3,4\nü.jpg,5,6,7,8\na b.jpg,2,2,9,9.5\n\n'
    for header in ('', 'picture,x1,y1,x2,y2\n', '\ufeffpicture,x1,y1,x2,y2\n'):
        (folder / 'b.csv').write_text(header + rows, encoding='utf-8')
        boxes = parse_boxes('b.csv')
        assert boxes('a b.jpg').tolist() == [[1, 2, 3, 4], [2, 2, 9, 9.5]]
        assert np.array_equal(boxes('ü.jpg'), [[5, 6, 7, 8]])


@pytest.mark.parametrize(
    'name, content, fact',
    [
        ('b.csv', 'a.jpg,1,2,3,4\nb.jpg,1,2,3\n', 'row 2'),
        ('b.csv', 'a.jpg,1,2,3,4\nb.jpg,1,2,3,x\n', 'row 2'),
        ('b.json', '{"a": [[1, 2]]}', 'expected'),
        ('b.json', '{', 'JSONDecodeError'),
        ('b.json', '7', 'expected'),
        ('b.json', '[[1, 2, 3, 4]]', 'expected'),
    ],
)
def test_defective_files_are_refused(folder, name, content, fact) -> None:
    (folder / name).write_text(content)
    with pytest.raises(DataDefect, match=f'{name}.*{fact}'):
        parse_boxes(name)


def test_a_missing_file_is_refused(folder) -> None:
    with pytest.raises(MissingResource, match='none.json'):
        parse_boxes('none.json')


def test_mmposes_list_of_detections(tmp_path):
    """By file name; a number says nothing without the annotations."""
    rows = [dict(image_id='a.jpg', bbox=[1, 2, 30, 40], score=0.9), dict(image_id='b.jpg', bbox=[0, 0, 5, 5], score=1)]
    file = tmp_path / 'boxes.json'
    file.write_text(json.dumps([*rows, rows[0] | {'bbox': [7, 7, 3, 3]}]))
    boxes = parse_boxes(str(file))
    assert boxes('a.jpg').tolist() == [[1, 2, 31, 42], [7, 7, 10, 10]] and boxes('b.jpg').tolist() == [[0, 0, 5, 5]]
    file.write_text(json.dumps([rows[0] | {'image_id': 3}]))
    with pytest.raises(DataDefect, match=r'boxes\.json, row 1: image_id=3'):
        parse_boxes(str(file))
