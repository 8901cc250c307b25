"""WFLW's own lists: 207 fields a line."""

import numpy as np
import pytest

from facelmk.datasets import WflwTxt
from facelmk.errors import DataDefect, FacelmkError


def test_points_box_and_attributes(tmp_path, faces, write):
    rows = faces(3, 98)
    write.txt(tmp_path / 'a.txt', rows, ['100000', '011110', '000001'])
    data = WflwTxt('a.txt', tmp_path, 'WFLW_images')
    assert data.subsets == ('pose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur')
    assert [face['tags'] for face in data.faces] == [
        ('pose',),
        ('expression', 'illumination', 'makeup', 'occlusion'),
        ('blur',),
    ]
    for face, row in zip(data.faces, rows, strict=True):
        assert np.array_equal(face['landmarks'], row['points'].astype(np.float32))
        assert face['box'].tolist() == [*(row['centre'] - 100 * row['scale']), *(row['centre'] + 100 * row['scale'])]
    assert data.face(2)['path'] == str(tmp_path / 'WFLW_images' / '2.png')


def test_the_provided_rectangle(tmp_path, faces, write):
    write.txt(tmp_path / 'a.txt', faces(1, 98))
    assert WflwTxt('a.txt', tmp_path, box='provided').face(0)['box'].tolist() == [10, 20, 70, 90]
    assert WflwTxt('a.txt', tmp_path, box='provided', origin=1).face(0)['box'].tolist() == [9, 19, 69, 89]
    with pytest.raises(FacelmkError, match="box='file'.*'tight', 'provided'"):
        WflwTxt('a.txt', tmp_path, box='file')


def test_a_short_line(tmp_path, faces, write):
    file = write.txt(tmp_path / 'a.txt', faces(3, 98))
    file.write_text(file.read_text().replace('10 20 70 90', '10 20 70', 1))
    with pytest.raises(DataDefect, match=r'line 1 \(1.png\): 205 numbers, 206 expected'):
        WflwTxt('a.txt', tmp_path)
