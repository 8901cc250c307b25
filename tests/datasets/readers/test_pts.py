"""300W's .pts files beside their pictures."""

import numpy as np
import pytest

from facelmk.datasets import CocoFaces, CsvFaces, PtsFaces
from facelmk.errors import DataDefect, MissingResource


@pytest.fixture
def folder(tmp_path, faces, write):
    """Three folders of two faces each, and files without a partner."""
    for i, (name, row) in enumerate(zip(['helen/testset', 'lfpw/testset', 'ibug'] * 2, faces(6, 68), strict=True)):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        write.pts(tmp_path / name / f'face_{i}.png', row['points'])
    write.picture(tmp_path / 'ibug' / 'without.png')
    (tmp_path / 'ibug' / 'alone.pts').write_text('version: 1')
    (tmp_path / 'ibug' / 'Thumbs.db').write_bytes(b'\xff')
    return tmp_path


def test_pairs_go_by_name_and_files_without_partner_are_skipped(folder, faces):
    data = PtsFaces(data_root=folder)
    assert [face['id'] for face in data.faces] == [
        'helen/testset/face_0.png',
        'helen/testset/face_3.png',
        'ibug/face_2.png',
        'ibug/face_5.png',
        'lfpw/testset/face_1.png',
        'lfpw/testset/face_4.png',
    ]
    rows = faces(6, 68)
    for face in data.faces:
        row = rows[int(face['id'][-5])]
        assert np.array_equal(face['landmarks'], row['points'].astype(np.float32))
        assert face['box'].tolist() == [*(row['centre'] - 100 * row['scale']), *(row['centre'] + 100 * row['scale'])]


def test_all_folders_are_searched_and_a_file_without_partner_shifts_no_pair(tmp_path, faces, write):
    """Other projects pair by sorted order, so a picture without .pts would get its neighbour's points."""
    rows = faces(5, 68)[1:]
    for folder, row in zip(['01_Indoor', '02_Ourdoor', '02_Ourdoor/more/deep', 'x y'], rows, strict=True):
        write.pts(tmp_path / folder / f'face_{row["name"]}', row['points'])
    write.picture(tmp_path / '01_Indoor' / 'a_stray_first.png')
    (tmp_path / '02_Ourdoor' / 'a_stray_too.pts').write_text('version: 1')
    (tmp_path / '02_Ourdoor' / '._face_1.png').write_bytes(b'a note of macOS')
    data = PtsFaces(data_root=tmp_path)
    assert [face['id'] for face in data.faces] == [
        '01_Indoor/face_1.png',
        '02_Ourdoor/face_2.png',
        '02_Ourdoor/more/deep/face_3.png',
        'x y/face_4.png',
    ]
    for face, row in zip(data.faces, rows, strict=True):
        assert np.array_equal(face['landmarks'], row['points'].astype(np.float32))
    pictures, lists = (sorted(tmp_path.rglob(ending)) for ending in ('*.png', '*.pts'))
    assert [path.stem for path in pictures if path.name[0] != '.'] != [path.stem for path in lists]


def test_folders_and_their_tags(folder):
    data = PtsFaces(data_root=folder, folders=dict(common=['helen/testset', 'lfpw/testset'], challenge=['ibug']))
    assert data.subsets == ('common', 'challenge')
    assert [face['tags'] for face in data.faces] == [('common',)] * 4 + [('challenge',)] * 2
    assert len(PtsFaces(data_root=folder, folders=['ibug'])) == 2
    with pytest.raises(MissingResource, match='afw is no folder'):
        PtsFaces(data_root=folder, folders=['afw'])


def test_the_split_is_by_name_and_complete(tmp_path, faces, write):
    rows = faces(1, 68) * 200
    for i, row in enumerate(rows):
        write.pts(tmp_path / f'{i}.png', row['points'])

    def names(**options):
        return {face['id'] for face in PtsFaces(data_root=tmp_path, **options).faces}

    train, val = names(part='train', share=0.3), names(part='val', share=0.3)
    assert train | val == names() and not train & val
    assert 35 < len(val) < 85  # 60 expected, 4 standard deviations either way
    assert val != names(part='val', share=0.3, seed=1)
    (tmp_path / '0.png').rename(tmp_path / 'new.png'), (tmp_path / '0.pts').rename(tmp_path / 'new.pts')
    assert names(part='val', share=0.3) - {'new.png'} == val - {'0.png'}


def test_csv_json_and_pts_of_one_face_never_differ(tmp_path, faces, write):
    rows = faces(3, 68)[1:]
    write.csv(tmp_path / 'a.csv', rows), write.json(tmp_path / 'a.json', rows)
    for row in rows:
        write.pts(tmp_path / row['name'], row['points'])
    for origin in (0, 1):
        readers = [
            CsvFaces('a.csv', tmp_path, markup='300w', origin=origin),
            CocoFaces('a.json', tmp_path, markup='300w', origin=origin),
            PtsFaces(data_root=tmp_path, origin=origin),
        ]
        for first, *others in zip(*(reader.faces for reader in readers), strict=True):
            for other in others:
                assert (other['id'], other['path']) == (first['id'], first['path'])
                assert np.array_equal(other['landmarks'], first['landmarks'])
                assert np.abs(other['box'] - first['box']).max() < 1e-4


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('version: 1\nn_points: 68\n{\n1 2\n3 4\n}\n', r'a.png: 4 numbers, 136 expected'),
        ('version: 1\nn_points: 68\n', "a.pts: .*it holds no '{'"),
        ('n_points: 68\n{\n' + '1 2\n' * 68 + '}\n{\n' + '3 4\n' * 68 + '}\n', "a.pts: .*it holds several '{'"),
        ('{' + '1 2\n' * 67 + '1 x\n}', "a.png: 'x' is no number"),
    ],
)
def test_defects(tmp_path, write, text, message):
    write.picture(tmp_path / 'a.png')
    (tmp_path / 'a.pts').write_text(text)
    with pytest.raises(DataDefect, match=message):
        PtsFaces(data_root=tmp_path)


def test_files_of_another_landmark_scheme_give_one_line(tmp_path):
    for name in 'abc':
        points = '\n'.join(f'{i} {i}' for i in range(106))
        (tmp_path / f'{name}.pts').write_text(f'version: 1\nn_points: 106\n{{\n{points}\n}}\n')
        (tmp_path / f'{name}.png').touch()
    with pytest.raises(DataDefect, match=r'all 3 records have 212 numbers, 136 expected.*\(lapa\)'):
        PtsFaces(data_root=tmp_path)
    (defect,) = PtsFaces(data_root=tmp_path, defects='keep').defects
    assert defect.record == 'the data set' and '(lapa)' in defect.wrong
