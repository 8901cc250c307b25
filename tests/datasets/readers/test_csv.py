"""HRNet's tables, column by column."""

import numpy as np
import pytest

from facelmk.datasets import CsvFaces
from facelmk.errors import DataDefect


def test_columns_of_300w_and_wflw(tmp_path, faces, write):
    (row,) = faces(1, 68)
    row |= dict(scale=0.425, centre=np.array([482.5, 164.5]))
    write.csv(tmp_path / 'a.csv', [row])
    (face,) = CsvFaces('a.csv', tmp_path, 'images', markup='300w').faces
    assert face['path'] == str(tmp_path / 'images' / '1.png')
    assert face['box'].tolist() == [440, 122, 525, 207] and face['norm'] == pytest.approx(85)
    assert np.array_equal(face['landmarks'], row['points'].astype(np.float32))


def test_columns_of_aflw(tmp_path, faces, write):
    (row,) = faces(1, 19)
    row |= dict(scale=1.81, centre=np.array([449.0, 321]), box_size=362.0)
    write.csv(tmp_path / 'a.csv', [row], box_size=True)
    (face,) = CsvFaces('a.csv', tmp_path, markup='aflw').faces
    assert face['norm'] == 362 and face['box'].tolist() == [268, 140, 630, 502]
    assert np.array_equal(face['landmarks'], row['points'].astype(np.float32))


def test_a_name_with_a_comma_and_a_blank_line(tmp_path, faces, write):
    rows = faces(3, 98)
    rows[0]['name'] = 'a, b.png'
    file = write.csv(tmp_path / 'a.csv', rows)
    file.write_text(file.read_text() + '\n')
    assert [face['id'] for face in CsvFaces('a.csv', tmp_path).faces] == ['a, b.png', '1.png', '2.png']


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('1.png', '1.png,7', r'line 2 \(1.png\): 200 numbers, 199 expected; line 3 '),
        ('center_h', 'middle', "a.csv: .*no column 'center_h'"),
        (',', ';', "no column 'scale'"),
    ],
)
def test_defects(tmp_path, faces, write, old, new, message):
    file = write.csv(tmp_path / 'a.csv', faces(3, 98))
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(DataDefect, match=message):
        CsvFaces('a.csv', tmp_path)


def test_a_text_among_the_numbers(tmp_path, faces, write):
    file = write.csv(tmp_path / 'a.csv', faces(3, 98))
    head, first, *rest = file.read_text().splitlines()
    file.write_text('\n'.join([head, first.rpartition(',')[0] + ',x7', *rest]))
    with pytest.raises(DataDefect, match=r"1 defective record: line 2 \(1.png\): 'x7' is no number"):
        CsvFaces('a.csv', tmp_path)


@pytest.mark.parametrize('text', ['', 'image_name,scale,center_w,center_h,original_0_x,original_0_y\n'])
def test_an_empty_table(tmp_path, text):
    (tmp_path / 'a.csv').write_text(text)
    with pytest.raises(DataDefect):
        CsvFaces('a.csv', tmp_path)
