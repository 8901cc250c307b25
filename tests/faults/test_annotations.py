"""Block C of the fault table: annotation files with every kind of defect, and with harmless differences."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facelmk.datasets import CocoFaces, CsvFaces, LapaTxt, PtsFaces, WflwTxt
from facelmk.datasets.tools.check import check
from facelmk.errors import DataDefect, FacelmkError, MissingResource

from . import annotations as made


def listed_defects(file: Path, **options: Any) -> list[tuple[str, str]]:
    """Return what a check of a json lists: record and defect."""
    return [
        (record, wrong)
        for _, record, wrong in check(lambda defects: read(file, **options, defects=defects), 'none').defects
    ]


def read(file: Path, **options: Any) -> CocoFaces:
    return CocoFaces(file.name, file.parent, markup='five', **options)


def check_refused(file: Path, *texts: str) -> None:
    """Check that building a reader raises an error that contains the file and the texts."""
    with pytest.raises(DataDefect) as error:
        read(file)
    assert all(text in str(error.value) for text in (file.name, *texts)), error.value
    assert error.value.exit_code == 4


def write_damaged(folder: Path, change: Any) -> Path:
    """Write a json of three faces; the second is changed."""
    rows = made.content(3)
    change(rows['annotations'][1], rows)
    return made.write_json(folder / 'a.json', rows)


def are_equal(one: Any, other: Any) -> bool:
    """Return whether two readers give the same points, boxes and flags."""
    return len(one) == len(other) and all(
        np.array_equal(a[key], b[key])
        for a, b in zip(one.faces, other.faces, strict=True)
        for key in ('landmarks', 'box', 'visible')
    )


@pytest.mark.fault('C01')
def test_broken_json_is_refused_with_its_line(tmp_path) -> None:
    file = tmp_path / 'a.json'
    file.write_text('{"images": [],\n "annotations": [1,}')
    check_refused(file, 'no json', 'line 2')
    assert 'line 2' in listed_defects(file)[0][1]
    file.write_text('[' * 100_000)
    check_refused(file, 'too deep')


@pytest.mark.fault('C02', 'C03')
@pytest.mark.parametrize('damage', [lambda text: b'\xef\xbb\xbf' + text, lambda text: text.replace(b'\n', b'\r\n')])
def test_byte_order_mark_and_line_ends_change_nothing(tmp_path, damage) -> None:
    kinds = {
        'a.json': (read, made.write_json(tmp_path / 'a.json', made.content())),
        'a.csv': (lambda file: CsvFaces(file.name, file.parent, markup='five'), made.write_csv(tmp_path / 'a.csv')),
        'a.txt': (lambda file: WflwTxt(file.name, file.parent), made.write_wflw(tmp_path / 'a.txt')),
    }
    for reader, file in kinds.values():
        plain = reader(file)
        file.write_bytes(damage(file.read_bytes().replace(b'\r\n', b'\n')))
        assert are_equal(reader(file), plain)
    file = made.write_pts(tmp_path / 'pts/a.pts')
    plain = PtsFaces(data_root=file.parent, markup='five')
    file.write_bytes(damage(file.read_bytes()))
    assert are_equal(PtsFaces(data_root=file.parent, markup='five'), plain)


@pytest.mark.fault('C04')
@pytest.mark.parametrize('encoding', ['utf-16', 'utf-16-le', 'utf-16-be'])
def test_utf_16_is_refused(tmp_path, encoding) -> None:
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(made.content()), encoding=encoding)
    check_refused(file, 'UTF-8')


@pytest.mark.fault('C05')
@pytest.mark.parametrize(
    ('change', 'key'),
    [
        (lambda face, rows: face.pop('image_id'), "annotation 2: it has no 'image_id'"),
        (lambda face, rows: rows['images'][1].pop('id'), "images[1]: it has no 'id'"),
        (lambda face, rows: rows['images'][1].pop('file_name'), "image 1: it has no 'file_name'"),
        (lambda face, rows: rows['annotations'].__setitem__(1, [1]), 'annotations[1]: [1] is no object'),
        (lambda face, rows: face.update(bbox=[1, 2]), "annotation 2: its 'bbox' is [1, 2]"),
        (lambda face, rows: face.update(id={'a': 1}), "annotations[1]: its 'id' is"),
        (lambda face, rows: face.update(keypoints='12'), "annotation 2: its 'keypoints' is '12'"),
    ],
)
def test_missing_and_odd_keys(tmp_path, change, key) -> None:
    file = write_damaged(tmp_path, change)
    check_refused(file, key)
    record, wrong = key.split(': ', 1)
    assert any(name == record and text.startswith(wrong) for name, text in listed_defects(file))
    assert len(read(file, defects='skip')) == 2


@pytest.mark.fault('C05')
@pytest.mark.parametrize('key', ['images', 'annotations'])
def test_missing_lists(tmp_path, key) -> None:
    rows = made.content()
    del rows[key]
    check_refused(made.write_json(tmp_path / 'a.json', rows), repr(key))


@pytest.mark.fault('C06')
def test_wrong_number_of_points_in_every_format(tmp_path) -> None:
    check_refused(
        write_damaged(tmp_path, lambda face, rows: face['keypoints'].pop()), 'annotation 2', '14 numbers, 15 expected'
    )
    assert listed_defects(tmp_path / 'a.json') == [('annotation 2', '14 numbers, 15 expected')]
    with pytest.raises(DataDefect, match='has 5 landmarks.*cofw.* has 29'):
        CsvFaces(made.write_csv(tmp_path / 'a.csv').name, tmp_path, markup='cofw')
    file = made.write_wflw(tmp_path / 'a.txt')
    file.write_text(file.read_text().replace(' 30 30', ' 30', 1))
    with pytest.raises(DataDefect, match=r'line 1 \(0.png\): 205 numbers, 206 expected'):
        WflwTxt('a.txt', tmp_path)
    with pytest.raises(DataDefect, match='a.png: 8 numbers, 10 expected'):
        PtsFaces(data_root=made.write_pts(tmp_path / 'pts/a.pts', 4).parent, markup='five')
    (tmp_path / 'lapa').mkdir()
    file = made.write_lapa(tmp_path / 'lapa/a.txt')
    file.write_text(file.read_text() + '1')
    with pytest.raises(DataDefect, match='a.txt: 213 numbers, 212 expected'):
        LapaTxt('lapa', tmp_path)


@pytest.mark.fault('C07', 'C08')
@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_numbers_that_are_not_finite(tmp_path, value) -> None:
    file = write_damaged(tmp_path, lambda face, rows: face['keypoints'].__setitem__(3, value))
    check_refused(file, 'record 2 (1.png): a coordinate is not finite')
    assert listed_defects(file) == [('record 2 (1.png)', 'a coordinate is not finite')]
    file = made.write_csv(tmp_path / 'a.csv')
    file.write_text(file.read_text().replace('90,90,', f'90,90,{value}', 1))
    with pytest.raises(DataDefect, match='1 defective record: '):
        CsvFaces('a.csv', tmp_path, markup='five')


@pytest.mark.fault('C07')
@pytest.mark.parametrize('value', [1e300, 10**400, 1e8])
def test_numbers_larger_than_any_picture(tmp_path, value) -> None:
    check_refused(write_damaged(tmp_path, lambda face, rows: face['keypoints'].__setitem__(3, value)), '2')


@pytest.mark.fault('C09', 'C10')
@pytest.mark.parametrize(('value', 'far'), [(-3.5, False), (-200.0, True), (250.25, False), (400.0, True)])
def test_points_outside_the_picture_are_kept(tmp_path, value, far) -> None:
    for i in range(3):
        made.picture(tmp_path / f'{i}.png')
    file = write_damaged(tmp_path, lambda face, rows: face['keypoints'].__setitem__(3, value))
    assert read(file).face(1)['landmarks'][1, 0] == np.float32(value)
    result = check(lambda defects: read(file, defects=defects)).defects
    assert [defect.record for defect in result if 'outside the picture' in defect.wrong] == ['record 2 (1.png)'] * far


@pytest.mark.fault('C11')
@pytest.mark.parametrize(('kind', 'name'), [('annotations', 'annotation'), ('images', 'image')])
def test_double_ids_name_both_records(tmp_path, kind, name) -> None:
    rows = made.content(3)
    rows[kind][2]['id'] = rows[kind][0]['id']
    file = made.write_json(tmp_path / 'a.json', rows)
    check_refused(file, f'{kind}[2]: its id is that of {kind}[0], too')
    assert (f'{kind}[2]', f'its id is that of {name}s[0], too') in listed_defects(file)


@pytest.mark.fault('C12')
def test_a_picture_without_annotation_is_skipped(tmp_path) -> None:
    rows = made.content(3)
    del rows['annotations'][1]
    assert [face['id'] for face in read(made.write_json(tmp_path / 'a.json', rows)).faces] == ['0.png', '2.png']
    made.write_pts(tmp_path / 'pts/a.pts'), made.picture(tmp_path / 'pts/b.png')
    assert len(PtsFaces(data_root=tmp_path / 'pts', markup='five')) == 1


@pytest.mark.fault('C13')
def test_an_annotation_without_picture(tmp_path) -> None:
    file = write_damaged(tmp_path, lambda face, rows: face.update(image_id=77))
    check_refused(file, 'annotation 2: its picture 77 is not listed')
    assert listed_defects(file) == [('annotation 2', 'its picture 77 is not listed')]
    for i in (0, 2):
        made.picture(tmp_path / f'{i}.png')
    file = write_damaged(tmp_path, lambda face, rows: None)
    with pytest.raises(DataDefect, match='1.png: no such picture'):
        read(file, check_pictures=True)
    assert [face['id'] for face in read(file, check_pictures=True, defects='skip').faces] == ['0.png', '2.png']


@pytest.mark.fault('C14', 'C15', 'C16', 'C17')
@pytest.mark.parametrize(('flag', 'visible'), [(0, 0), (1, 1), (2, 1), (None, 1)])
def test_visibility(tmp_path, flag, visible) -> None:
    rows = made.content(2, flag=flag)
    if flag == 0:  # a face without any labelled point would be skipped
        rows['annotations'][0]['keypoints'][5] = rows['annotations'][1]['keypoints'][5] = 2
    face = read(made.write_json(tmp_path / 'a.json', rows)).face(0)
    assert face['visible'][[0, 2, 3, 4]].tolist() == [visible] * 4
    assert np.array_equal(face['landmarks'], made.points(5).astype(np.float32))
    assert CsvFaces(made.write_csv(tmp_path / 'a.csv').name, tmp_path, markup='five').face(0)['visible'].all()


@pytest.mark.fault('C32')
def test_annotations_of_a_picture_that_exif_rotates(tmp_path) -> None:
    pillow = pytest.importorskip('PIL.Image')
    note = pillow.Exif()
    note[0x0112] = 6
    rows = made.content(1)
    rows['images'][0].update(file_name='0.jpg', width=SIZES[0], height=SIZES[1])
    pillow.new('RGB', SIZES).save(tmp_path / '0.jpg', exif=note)  # stored in landscape, shown in portrait
    result = check(lambda defects: read(made.write_json(tmp_path / 'a.json', rows), defects=defects)).defects
    assert any('is 200x300 pixels, the json says 300x200' in defect.wrong for defect in result)


SIZES = (300, 200)


@pytest.mark.fault('C33')
def test_a_class_marker_imports_nothing(tmp_path, monkeypatch) -> None:
    (tmp_path / 'evilmod.py').write_text(f'open({str(tmp_path / "canary")!r}, "w")\nclass X: pass\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    marker = {'__instance_type__': ['evilmod', 'X'], 'attributes': {}}
    rows = made.content() | marker
    rows['annotations'][0] |= marker
    assert len(read(made.write_json(tmp_path / 'a.json', rows))) == 2
    rows['annotations'][0]['keypoints'][0] = marker
    check_refused(made.write_json(tmp_path / 'a.json', rows), 'is no number')
    assert 'evilmod' not in sys.modules and not (tmp_path / 'canary').exists()


@pytest.mark.fault('C34')
def test_other_categories(tmp_path) -> None:
    file = write_damaged(tmp_path, lambda face, rows: face.update(category_id=9))
    check_refused(file, 'annotation 2: its category 9 is not listed')

    def person(face, rows):
        rows['categories'].append({'id': 2, 'name': 'person'})
        face['category_id'] = 2

    assert [face['id'] for face in read(write_damaged(tmp_path, person)).faces] == ['0.png', '2.png']
    rows = made.content(3)
    rows['categories'] = []
    assert len(read(made.write_json(tmp_path / 'a.json', rows))) == 3


@pytest.mark.fault('C35')
def test_swapped_sides_are_named(tmp_path) -> None:
    upright = np.array([[30.0, 40], [70, 40], [50, 60], [35, 80], [65, 80]])
    rows = made.content(8)
    for i, face in enumerate(rows['annotations']):
        order = [1, 0, 2, 4, 3] if i in (2, 5) else range(5)
        face['keypoints'] = np.c_[upright[order] + i, np.full(5, 2)].ravel().tolist()
    result = listed_defects(made.write_json(tmp_path / 'a.json', rows))
    assert [record for record, wrong in result if 'wrong sides' in wrong] == ['record 3 (2.png)', 'record 6 (5.png)']


def test_all_defects_raise_one_error_or_are_skipped_and_counted(tmp_path, monkeypatch) -> None:
    """Also over several files; one of them is a .pts that is no text."""
    for i in range(5):
        made.write_pts(tmp_path / f'{i}.pts', number=i)
    (tmp_path / '1.pts').write_bytes(b'\xff\xff'), (tmp_path / '2.pts').write_text('none')
    (tmp_path / '3.pts').write_text('{1 2 3 4 5 6 7 8 9 nan}')
    with pytest.raises(DataDefect, match='3 defective records in 3 files: ') as error:
        PtsFaces(data_root=tmp_path, markup='five')
    assert all(name in str(error.value) for name in ('1.pts', '2.pts', '3.png', "defects='skip'"))
    messages = []
    monkeypatch.setattr('mmengine.logging.print_log', lambda text, **options: messages.append(text))
    data = PtsFaces(data_root=tmp_path, markup='five', defects='skip')
    assert [face['id'] for face in data.faces] == ['0.png', '4.png'] and len(data.defects) == 3
    assert len(messages) == 1 and '3 defective records in 3 files' in messages[0]
    assert len(check(lambda defects: PtsFaces(data_root=tmp_path, markup='five', defects=defects), 'none').defects) == 3
    (tmp_path / '0.pts').unlink(), (tmp_path / '4.pts').unlink()
    with pytest.raises(DataDefect, match='holds no face.* 3 defective'):
        PtsFaces(data_root=tmp_path, markup='five', defects='skip')
    with pytest.raises(FacelmkError, match="defects='drop'"):
        PtsFaces(data_root=tmp_path, markup='five', defects='drop')
    with pytest.raises(MissingResource):
        read(tmp_path / 'none.json', defects='skip')
