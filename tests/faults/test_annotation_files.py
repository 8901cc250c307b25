"""Block C of the fault table: .pts, CSV and .mat files, huge lines and loops of links."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facelmk.datasets import CocoFaces, CofwMat, CsvFaces, Mat300WLP, PtsFaces, WflwTxt
from facelmk.datasets.open_faces import open_faces
from facelmk.errors import DataDefect, FacelmkError

from . import annotations as made


def read(file: Path, **options: Any) -> CocoFaces:
    return CocoFaces(file.name, file.parent, markup='five', **options)


def are_equal(one: Any, other: Any) -> bool:
    """Return whether two readers give the same points, boxes and flags."""
    return len(one) == len(other) and all(
        np.array_equal(a[key], b[key])
        for a, b in zip(one.faces, other.faces, strict=True)
        for key in ('landmarks', 'box', 'visible')
    )


@pytest.mark.fault('C18', 'C19')
def test_pts_counted_from_zero_and_from_one(tmp_path) -> None:
    file = made.write_pts(tmp_path / 'a.pts')
    raw, less = (PtsFaces(data_root=file.parent, markup='five', origin=origin).face(0) for origin in (0, 1))
    assert np.array_equal(raw['landmarks'], made.points(5).astype(np.float32))
    assert np.array_equal(less['landmarks'], (made.points(5) - 1).astype(np.float32))
    assert np.array_equal(PtsFaces(data_root=file.parent, markup='five').face(0)['landmarks'], raw['landmarks'])


@pytest.mark.fault('C20', 'C21', 'C22')
@pytest.mark.parametrize(
    'damage',
    [
        lambda text: text.replace('version: 1\n', ''),
        lambda text: text.replace('version: 1', 'version: 73 9'),
        lambda text: '# by hand { of 2020 }\n' + text,
        lambda text: text.replace('{\n', '{ // the left eye 1 2\n'),
        lambda text: text.replace('\n', ' \t \n') + '\n \n',
    ],
)
def test_text_around_the_numbers_of_a_pts(tmp_path, damage) -> None:
    file = made.write_pts(tmp_path / 'a.pts')
    plain = PtsFaces(data_root=tmp_path, markup='five')
    file.write_text(damage(file.read_text()))
    assert are_equal(PtsFaces(data_root=tmp_path, markup='five'), plain)


@pytest.mark.fault('C23', 'C26')
def test_csv_with_quotes_and_relative_paths(tmp_path) -> None:
    file = made.write_csv(tmp_path / 'a.csv')
    plain = CsvFaces('a.csv', tmp_path, 'pictures', markup='five')
    assert plain.face(1)['path'] == str(tmp_path / 'pictures' / '1.png')
    file.write_text(
        '\n'.join(','.join(f'"{part}"' for part in line.split(',')) for line in file.read_text().splitlines()).replace(
            '"1.png"', '"deep/a ""b"", c.png"'
        )
    )
    quoted = CsvFaces('a.csv', tmp_path, 'pictures', markup='five')
    assert are_equal(quoted, plain)
    assert quoted.face(1)['path'] == str(tmp_path / 'pictures' / 'deep/a "b", c.png')


@pytest.mark.fault('C24', 'C25')
@pytest.mark.parametrize(
    ('damage', 'text'),
    [
        (lambda text: text.replace(',', ';'), 'Semicolons'),
        (lambda text: text.replace('.6,90,90', '.6,90', 1), r'line 2 \(0.png\): 12 numbers, 13 expected'),
        (lambda text: text.replace(',center_h', '', 1), "'center_h'"),
        (lambda text: text.replace('scale,center_w,center_h', 'name,scale,center_w', 1), "'center_h'"),
        (lambda text: text.replace(',original_4_y', '', 1), 'has 4 landmarks'),
        (lambda text: text.replace('0.png', '', 1), 'names no picture'),
        (lambda text: '\n'.join(','.join(line.split(',')[:4]) for line in text.splitlines()), 'names no points'),
        (lambda text: text.replace('1.png', '"1.png' + 'x' * 200_000, 1), 'line 3: field larger'),
    ],
)
def test_columns_are_never_shifted(tmp_path, damage, text) -> None:
    file = made.write_csv(tmp_path / 'a.csv')
    file.write_text(damage(file.read_text().replace('\r\n', '\n')))
    with pytest.raises(DataDefect, match=text):
        CsvFaces('a.csv', tmp_path, markup='five')


@pytest.mark.fault('C27', 'C28')
def test_both_versions_of_mat_are_equal(tmp_path) -> None:
    pytest.importorskip('h5py'), pytest.importorskip('scipy')
    made.write_mat7(tmp_path / 'new.mat'), made.write_mat5(tmp_path / 'old.mat')
    made.write_mat5(tmp_path / 'packed.mat', packed=True)
    new, *others = [CofwMat(name, tmp_path, markup='cofw') for name in ('new.mat', 'old.mat', 'packed.mat')]
    for other in others:
        assert are_equal(new, other)
        assert all(np.array_equal(new.face(i)['image'], other.face(i)['image']) for i in range(2))
    assert np.array_equal(new.face(1)['landmarks'], made.points(29, 1).astype(np.float32))
    assert new.face(1)['image'].shape == (40, 50, 3) and (new.face(1)['image'] == 8).all()


@pytest.mark.fault('C27', 'C28')
def test_points_of_300wlp_in_both_versions(tmp_path) -> None:
    h5py, scipy = pytest.importorskip('h5py'), pytest.importorskip('scipy.io')
    for i in range(2):
        made.picture(tmp_path / f'AFW/AFW_{i}_0.png')
    scipy.savemat(tmp_path / 'AFW/AFW_0_0.mat', {'pt2d': made.points(68).T})
    with h5py.File(tmp_path / 'AFW/AFW_1_0.mat', 'w') as stored:
        stored['pt2d'] = made.points(68)  # columns first
    faces = Mat300WLP(data_root=tmp_path).faces
    assert len(faces) == 2 and all(np.array_equal(face['landmarks'], made.points(68).astype('f4')) for face in faces)


@pytest.mark.fault('C29')
def test_a_mat_with_other_variables_lists_them(tmp_path) -> None:
    scipy = pytest.importorskip('scipy.io')
    made.picture(tmp_path / 'AFW/AFW_0_0.png')
    scipy.savemat(tmp_path / 'AFW/AFW_0_0.mat', {'pts_3d': made.points(68).T, 'angle': 3})
    with pytest.raises(DataDefect, match="AFW_0_0.mat.*no 'pt2d', but 'pts_3d', 'angle'"):
        Mat300WLP(data_root=tmp_path)
    with pytest.raises(DataDefect, match="AFW_0_0.mat holds neither phisTr nor phisT.*'pts_3d'"):
        CofwMat('AFW/AFW_0_0.mat', tmp_path, markup='cofw')


@pytest.mark.fault('C30')
@pytest.mark.parametrize('kind', ['json', 'csv', 'txt', 'pts'])
def test_a_line_of_many_megabytes(tmp_path, kind) -> None:
    line = '7' * 16_000_000 if kind == 'json' else '7 ,' * 5_000_000
    file = tmp_path / f'a.{kind}'
    file.write_text(f'{{"images": [], "annotations": [{line}]}}' if kind == 'json' else line)
    made.picture(tmp_path / 'a.png')
    readers = {
        'json': read,
        'csv': lambda file: CsvFaces(file.name, tmp_path),
        'pts': lambda file: PtsFaces('', tmp_path),
        'txt': lambda file: WflwTxt(file.name, tmp_path),
    }
    begin = time.process_time()
    with pytest.raises(DataDefect) as error:
        readers[kind](file)
    assert time.process_time() - begin < 2 and len(str(error.value)) < 1000


@pytest.mark.fault('C31')
def test_a_loop_of_links(tmp_path) -> None:
    made.write_pts(tmp_path / 'a.pts')
    (tmp_path / 'loop').symlink_to(tmp_path), (tmp_path / 'b.png').symlink_to('b.png')
    (tmp_path / 'b.pts').symlink_to('b.pts'), (tmp_path / 'a.json').symlink_to('a.json')
    assert [face['id'] for face in PtsFaces(data_root=tmp_path, markup='five').faces] == ['a.png']
    with pytest.raises(DataDefect, match='a.json cannot be read'):
        read(tmp_path / 'a.json')
    with pytest.raises(FacelmkError):
        open_faces(tmp_path / 'a.json')
