"""Packed files: every reader gives the same faces from one, and a file that is not surely right is made anew."""

import json
import os
import pickle
import time

import numpy as np
import pytest
from annotation_tools import labelled, write_cvat, write_dlib, write_label_studio, write_labelme
from mmengine.logging import MMLogger

from facelmk.compat.mmpose_datasets import WFLWDataset
from facelmk.datasets import (
    AnnotatedFaces,
    CocoFaces,
    Cofw68Mat,
    CofwMat,
    CsvFaces,
    CvatXml,
    DlibXml,
    LabelmeJson,
    LabelStudioJson,
    LapaTxt,
    Mat300WLP,
    NpzFaces,
    PtsFaces,
    PublishedFaces,
    WflwTxt,
    pack_key,
    packing,
)
from facelmk.datasets.pack_file import PackedFaces
from facelmk.datasets.readers import READERS
from facelmk.errors import DataDefect

pytestmark = pytest.mark.usefixtures('home')


def assert_equal(one, other):
    """Compare all faces of two sets: keys, types and values."""
    assert len(one) == len(other) > 0 and one.subsets == other.subsets
    for a, b in zip(*([data.face(i) for i in range(len(data))] for data in (one, other)), strict=True):
        assert list(a) == list(b)
        for key, value in a.items():
            assert type(value) is type(b[key]), key
            if isinstance(value, np.ndarray):
                assert value.dtype == b[key].dtype and b[key].flags.writeable
                assert np.array_equal(value, b[key], equal_nan=value.dtype.kind == 'f'), key
            else:
                assert value == b[key], key


def write_formats(folder, faces, write):
    """Write the same kind of faces in all formats; return how each is read."""
    rows, lapa = faces(5, 98), faces(3, 106)
    write.csv(folder / 'a.csv', rows, box_size=True), write.csv(folder / 'pose.csv', rows[1:3], box_size=True)
    write.json(folder / 'a.json', rows, tags=['blur', 'pose'], fields=('bbox', 'box_size'))
    write.txt(folder / 'a.txt', rows, ['000000', '100001', '010000', '111111', '000000'])
    flags = np.array([[1, 0.5, 0, 1, 1]] * 2)
    np.savez(folder / 'a.npz', names=['a.png', 'b.png'], points=np.arange(20.0).reshape(2, 5, 2), visible=flags)
    (folder / 'lapa').mkdir()
    for i, row in enumerate(faces(6, 68)):
        write.pts(folder / 'pts' / 'ibug' / f'{i}.png', row['points'])
    for i, row in enumerate(lapa):
        lines = '\n'.join(f'{x} {y}' for x, y in row['points'].tolist())
        (folder / f'lapa/{i}.txt').write_text(f'106\n{lines}\n')
    layout = dict(type='CsvFaces', ann_file='{split}.csv')
    some = labelled(faces(3, 5))
    write_cvat(folder / 'cvat.xml', some), write_dlib(folder / 'dlib.xml', some)
    write_labelme(folder / 'labelme', some), write_label_studio(folder / 'studio.json', some)
    labels = {'labels': list('01234')}
    return {
        'CvatXml': lambda **more: CvatXml('cvat.xml', folder, markup='five', **labels, **more),
        'DlibXml': lambda **more: DlibXml('dlib.xml', folder, markup='five', **more),
        'LabelmeJson': lambda **more: LabelmeJson('labelme', folder, markup='five', **labels, **more),
        'LabelStudioJson': lambda **more: LabelStudioJson('studio.json', folder, markup='five', **labels, **more),
        'CsvFaces': lambda **more: CsvFaces('a.csv', folder, 'p/', tags={'pose': 'pose.csv'}, **more),
        'CocoFaces': lambda **more: CocoFaces('a.json', folder, 'p', box='bbox', **more),
        'WflwTxt': lambda **more: WflwTxt('a.txt', folder, box='provided', origin=1, only='pose', **more),
        'NpzFaces': lambda **more: NpzFaces('a.npz', folder, markup='five', **more),
        'PtsFaces': lambda **more: PtsFaces('pts', folder, folders={'hard': ['ibug']}, part='train', **more),
        'LapaTxt': lambda **more: LapaTxt('lapa', folder, 'lapa', **more),
        'WFLWDataset': lambda **more: WFLWDataset('a.json', str(folder), dict(img='p'), indices=[4, 0, -2], **more),
        'PublishedFaces': lambda **more: PublishedFaces(str(folder), 'a', [layout], 'wflw', (), {}, **more),
    }


def matlab_formats(folder, faces, write):
    """Write 300W-LP and COFW; return how they are read."""
    save = pytest.importorskip('scipy.io', reason='.mat files need scipy').savemat
    for name in ('AFW', 'HELEN', 'IBUG', 'LFPW'):
        (folder / name).mkdir()
    for i, row in enumerate(faces(3, 68)):
        save(write.picture(folder / f'AFW/AFW_{i}_1_0.jpg').with_suffix('.mat'), {'pt2d': row['points'].T})
    rng, rows = np.random.default_rng(0), faces(2, 29)
    pictures = [rng.integers(0, 256, (3, 240, 200), np.uint8) for _ in rows]
    write.mat(folder / 'COFW_test_color.mat', rows, pictures, [[0, 5, 40, 60]] * 2)
    (folder / 'points').mkdir()
    for i, row in enumerate(faces(2, 68)):
        save(folder / f'points/{i + 1}_points.mat', {'Points': row['points']})
    return {
        'Mat300WLP': lambda **more: Mat300WLP(data_root=folder, **more),
        'CofwMat': lambda **more: CofwMat('COFW_test_color.mat', folder, markup='cofw', **more),
        'Cofw68Mat': lambda **more: Cofw68Mat(data_root=folder, points='points', **more),
    }


HOLDS_PICTURES = ('CofwMat', 'Cofw68Mat')  # these keep an open file in attributes, so they are not packed


def check_formats(reads):
    """Compare each reader without a packed file, while it makes one, and with it."""
    for name, read in reads.items():
        plain, first, second = read(packed=False), read(), read()
        kinds = [isinstance(getattr(data, 'reader', data).faces, PackedFaces) for data in (plain, first, second)]
        assert kinds == ([False] * 3 if name in HOLDS_PICTURES else [False, True, True]), name
        assert_equal(plain, first), assert_equal(plain, second)


def test_all_readers_give_the_same_faces(tmp_path, faces, write):
    reads = write_formats(tmp_path, faces, write)
    check_formats(reads)
    assert {reader.__name__ for reader in READERS} <= {*reads, 'Mat300WLP', *HOLDS_PICTURES}  # those of the next test


def test_matlab_readers_give_the_same_faces(tmp_path, faces, write):
    check_formats(matlab_formats(tmp_path, faces, write))


@pytest.mark.parametrize('markup', ['wflw', '300w', '300wlp', 'aflw', 'cofw', 'lapa'])
def test_real_annotations_give_the_same_faces(shared, markup):
    folder = shared / 'data/samples' / markup
    if not folder.is_dir():
        pytest.skip(f'no sample annotations: {folder} is not there')
    check_formats({markup: lambda **more: CocoFaces(f'test_{markup}.json', folder, markup=markup, **more)})


# -- when a packed file is used


@pytest.fixture
def reads(monkeypatch):
    """The files that `CsvFaces.read` has read."""
    files, read = [], CsvFaces.read
    monkeypatch.setattr(CsvFaces, 'read', lambda self, file: files.append(file.name) or read(self, file))
    return files


def test_the_second_start_opens_no_annotations_at_all(table, reads, monkeypatch):
    CsvFaces(table)
    monkeypatch.setattr(pack_key.Sources, 'content', lambda self: pytest.fail('the content was read'))
    assert isinstance(CsvFaces(table).faces, PackedFaces) and reads == ['a.csv']


def test_a_file_that_was_just_written_is_hashed_because_its_times_may_hide_a_change(table, home, monkeypatch):
    monkeypatch.setattr(pack_key, 'SETTLED_S', 3600)
    CsvFaces(table), CsvFaces(table)
    assert list(home.glob('*.faces')) and not list(home.glob('*.seen'))


def test_a_touched_file_is_not_read_again_and_a_changed_one_is(table, reads, home):
    CsvFaces(table)
    os.utime(table, (1, 1))
    assert isinstance(CsvFaces(table).faces, PackedFaces) and reads == ['a.csv']
    status, text = table.stat(), table.read_bytes()
    table.write_bytes(text.replace(b'1.png', b'7.png'))
    os.utime(table, ns=(status.st_atime_ns, status.st_mtime_ns))  # same size, same inode, same time of change
    assert CsvFaces(table).face(0)['id'] == '7.png#1' and reads == ['a.csv'] * 2
    table.write_bytes(text)
    assert CsvFaces(table).face(0)['id'] == '1.png#1' and reads == ['a.csv'] * 2  # its packed file is still there


def test_old_files_of_other_content_are_removed(table, home):
    CsvFaces(table)
    first = set(home.iterdir())
    for file in first:
        os.utime(file, (time.time() - 40 * 86400,) * 2)
    table.write_text(table.read_text().replace('1.png', '7.png'))
    CsvFaces(table)
    assert {file.suffix for file in first & set(home.iterdir())} == {'.lock'}


def test_arguments_subset_files_and_boxes_decide_too(tmp_path, table, reads, faces, write):
    boxes = tmp_path / 'boxes.json'
    box = CsvFaces(table, packed=False).face(0)['box'].tolist()
    boxes.write_text(json.dumps({'1.png': [box]}))
    reads.clear()
    write.csv(tmp_path / 'pose.csv', faces(4, 98)[1:])
    options = dict(tags={'pose': 'pose.csv'}, bbox_file=str(boxes), data_root=tmp_path)
    first = CsvFaces('a.csv', **options)
    assert reads == ['a.csv', 'pose.csv'] and [len(face['tags']) for face in first.faces] == [0, 1, 1, 1]
    assert_equal(first, CsvFaces('a.csv', **options))
    assert_equal(CsvFaces('a.csv', **options, packed=False), CsvFaces('a.csv', **options))
    reads.clear()
    CsvFaces('a.csv', **options, origin=1), CsvFaces('a.csv', **options | dict(bbox_iou=0.5))
    assert reads == ['a.csv', 'pose.csv'] * 2
    boxes.write_text(json.dumps({'1.png': [[box[0] + 1, *box[1:]]]}))
    assert CsvFaces('a.csv', **options).face(0)['detection'][0] == box[0] + 1 and len(reads) == 6
    write.csv(tmp_path / 'pose.csv', faces(4, 98)[2:])
    assert [len(face['tags']) for face in CsvFaces('a.csv', **options).faces] == [0, 0, 1, 1]


def test_a_new_version_of_the_reader_reads_again(table, reads, monkeypatch):
    CsvFaces(table), CsvFaces(table)
    assert len(reads) == 1
    monkeypatch.setattr(CsvFaces, 'version', 2, raising=False)
    CsvFaces(table), CsvFaces(table)
    assert len(reads) == 2


def test_a_reader_of_another_project_states_its_version_first(tmp_path, home):
    class Own(AnnotatedFaces):
        def read(self, file):
            return self.rows(file, [file.read_text()], [[[1, 2], [3, 4], [5, 6], [7, 8], [9, 9]]])

    class Stated(Own):
        version = 1

    (tmp_path / 'a.txt').write_text('a.png')
    for kind in (Own, Stated):
        for _ in range(2):
            assert kind('a.txt', tmp_path, markup='five').face(0)['id'] == 'a.png'
        assert bool(list(home.glob('*.faces'))) == (kind is Stated)


def test_objects_that_are_no_numbers_and_attributes_that_reading_sets_are_not_packed(tmp_path, home):
    class Odd(AnnotatedFaces):
        version = 1

        def read(self, file):
            faces = self.rows(file, ['a.png'], [np.ones((5, 2))], [[0, 0, 5, 5]])
            return [face | {'size': (3, 4)} for face in faces]

    class Remembers(Odd):
        version = 1

        def read(self, file):
            self.note = 'read'
            return self.rows(file, ['a.png'], [np.ones((5, 2))], [[0, 0, 5, 5]])

    (tmp_path / 'a.txt').write_text('')
    for _ in range(2):
        assert Odd('a.txt', tmp_path, markup='five').face(0)['size'] == (3, 4)
        assert Remembers('a.txt', tmp_path, markup='five').note == 'read'
    assert not list(home.glob('*.faces'))


def test_the_folder_is_an_argument_and_small_sets_need_none(tmp_path, table, home, monkeypatch):
    CsvFaces(table, packed=str(tmp_path / 'fast'))
    assert list((tmp_path / 'fast').glob('*.faces')) and not home.exists()
    monkeypatch.setattr(packing, 'MIN_BYTES', 4 << 20)
    CsvFaces(table), CsvFaces(table, packed=True)
    assert not home.exists()


def test_a_picture_that_is_deleted_later_is_missed(tmp_path, table, write):
    for name in ('1.png', '2.png', '3.png'):
        write.picture(tmp_path / name)
    options = dict(data_root=tmp_path, check_pictures=True)
    for _ in range(2):
        assert len(CsvFaces(table, **options)) == 4
    (tmp_path / '3.png').unlink()
    with pytest.raises(DataDefect, match='no such picture'):
        CsvFaces(table, **options)
    assert len(CsvFaces(table, **options, defects='skip')) == 3


# -- defects


def test_defects_are_the_same_from_a_packed_file(tmp_path, faces, write, monkeypatch):
    rows = faces(5, 98)
    rows[1]['points'][3] = np.nan
    rows[3]['name'] = ''
    table = write.csv(tmp_path / 'a.csv', rows)
    lines = []
    monkeypatch.setattr(MMLogger, 'callHandlers', lambda self, record: lines.append(record.getMessage()))
    messages = []
    for packed in (False, True, True):
        with pytest.raises(DataDefect) as error:
            CsvFaces(table, packed=packed)
        messages.append(str(error.value))
    assert messages[0] == messages[1] == messages[2] and '2 defective records' in messages[0]
    skipped = [CsvFaces(table, packed=packed, defects='skip') for packed in (False, True, True)]
    assert isinstance(skipped[2].faces, PackedFaces)
    assert_equal(skipped[0], skipped[2])
    assert list(skipped[0].defects) == list(skipped[2].defects) and len(skipped[2].defects) == 2
    warnings = [line for line in lines if line.startswith('skipped')]
    assert len(warnings) == 3 and len(set(warnings)) == 1
    kept = [CsvFaces(table, packed=packed, defects='keep') for packed in (False, True)]
    assert_equal(*kept)
    assert not isinstance(kept[1].faces, PackedFaces)


# -- processes


def test_workers_that_are_spawned_get_the_name_of_the_file_only(table):
    CsvFaces(table)
    data = CsvFaces(table)
    text = pickle.dumps(data)
    assert len(text) < 4000
    assert_equal(data, pickle.loads(text))
    part = data.faces.take([2, 0])
    assert [face['id'] for face in pickle.loads(pickle.dumps(part))] == ['2.png', '1.png#1']
    assert [face['id'] for face in part[1:]] == ['1.png#1'] and part[-1]['id'] == '1.png#1'
    with pytest.raises(IndexError):
        part[2]
