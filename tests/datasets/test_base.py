"""What every reader shares: indexing, random draws, ids, subsets, origin, boxes, and defects by name."""

import numpy as np
import pytest

from facelmk import geometry
from facelmk.datasets import AnnotatedFaces, CocoFaces, CsvFaces, FaceDataset, WflwTxt
from facelmk.datasets.records import read_text, tight_boxes
from facelmk.errors import DataDefect, FacelmkError, MissingResource, UnknownName


class Listed(AnnotatedFaces):
    """A reader without a file: two faces of five points."""

    def read(self, file):
        points = np.arange(20.0).reshape(2, 5, 2)
        return self.rows(file, ['a.jpg', 'b.jpg'], points, [[0, 0, 20, 20]] * 2, tags=[('pose',), ()])


def test_a_reader_defines_read_alone():
    data = Listed(markup='five', image_root='pictures', data_root='root')
    face = data.face(1)
    assert list(face) == ['id', 'path', 'box', 'landmarks', 'visible', 'norm', 'tags']
    assert (face['id'], face['path'], face['norm'], face['tags']) == ('b.jpg', 'root/pictures/b.jpg', None, ())
    assert face['landmarks'].tolist() == np.arange(10.0, 20).reshape(5, 2).tolist()
    assert face['visible'].tolist() == [1] * 5 and face['box'].tolist() == [0, 0, 20, 20]
    assert {face[key].dtype for key in ('box', 'landmarks', 'visible')} == {np.dtype('float32')}


def test_draws_come_from_seed_epoch_and_id():
    data = Listed(markup='five', pipeline=[lambda sample: sample | {'draw': sample['rng'].random()}])
    draw = data[3, 7, 1]['draw']
    assert draw == data[3, 7, 1]['draw']
    assert Listed(markup='five', pipeline=data.pipeline, only='pose')[3, 7, 0]['draw'] == data[3, 7, 0]['draw']
    others = [data[3, 7, 0], data[3, 8, 1], data[4, 7, 1], data[1]]
    assert draw not in [sample['draw'] for sample in others]
    assert data[1]['draw'] == data[0, 0, 1]['draw']
    assert data[0]['markup'].name == 'five'


def test_a_transform_cannot_change_the_rows():
    def halve(sample):
        sample['landmarks'] = sample['landmarks'] / 2
        sample['tags'] = ()
        return sample

    data = Listed(markup='five', pipeline=[halve])
    data[0]
    assert data.face(0)['landmarks'][1].tolist() == [2, 3] and data.face(0)['tags'] == ('pose',)


def test_only_one_subset():
    data = Listed(markup='five', only='pose')
    assert [face['id'] for face in data.faces] == ['a.jpg']
    with pytest.raises(UnknownName, match="'pose'"):
        Listed(markup='five', only='posse')


def test_metainfo_names_markup_and_subsets():
    assert Listed(markup='five').metainfo == {'markup': 'five', 'subsets': ()}
    assert Listed(markup='five', subsets=['pose', 'blur']).metainfo['subsets'] == ('pose', 'blur')


def test_origin_moves_points_and_boxes():
    raw, moved = (Listed(markup='five', origin=origin).face(0) for origin in (0, 1))
    assert np.array_equal(moved['landmarks'], raw['landmarks'] - 1) and np.array_equal(moved['box'], raw['box'] - 1)


@pytest.mark.parametrize(
    ('options', 'message'), [(dict(origin=2), 'origin=2.* 0, 1'), (dict(box='thight'), "box='thight'.*'file', 'tight'")]
)
def test_unknown_options_name_the_choices(options, message):
    with pytest.raises(FacelmkError, match=message):
        Listed(markup='five', **options)


def test_another_landmark_scheme_is_refused():
    with pytest.raises(DataDefect, match=r"'a.jpg' has 5 landmarks.*'wflw' has 98"):
        Listed(markup='wflw')


def test_missing_methods_are_named():
    with pytest.raises(TypeError, match='what a face is'):
        FaceDataset('five').face(0)
    with pytest.raises(TypeError, match='how many faces'):
        len(FaceDataset('five'))
    with pytest.raises(TypeError, match='how it reads'):
        AnnotatedFaces('x', markup='five')


def test_tight_boxes_are_the_squares_around_the_whole_pixel_boxes():
    rng = np.random.default_rng(0)
    points, visible = rng.random((20, 68, 2)) * 300 - 20, (rng.random((20, 68)) > 0.5).astype(float)
    visible[3] = 0
    for box, face, seen in zip(tight_boxes(points, visible), points, visible, strict=True):
        x1, y1, x2, y2 = geometry.tight_box(face, seen)
        assert box.tolist() == geometry.square_box(((x1 + x2) / 2, (y1 + y2) / 2), max(x2 - x1, y2 - y1)).tolist()


def test_ids_are_picture_names_with_a_number_if_there_are_several_faces(tmp_path, faces, write):
    data = CsvFaces(write.csv(tmp_path / 'a.csv', faces(4, 98)).name, tmp_path)
    assert [face['id'] for face in data.faces] == ['1.png#1', '1.png#2', '2.png', '3.png']


def test_three_formats_of_one_face_never_differ(tmp_path, faces, write):
    rows = faces(6, 98)
    write.csv(tmp_path / 'a.csv', rows), write.json(tmp_path / 'a.json', rows), write.txt(tmp_path / 'a.txt', rows)
    readers = [
        CsvFaces('a.csv', tmp_path),
        CocoFaces('a.json', tmp_path),
        WflwTxt('a.txt', tmp_path),
        CsvFaces('a.csv', tmp_path, box='tight'),
        CocoFaces('a.json', tmp_path, box='tight'),
    ]
    for i in range(6):
        first, *others = (reader.face(i) for reader in readers)
        assert np.array_equal(first['landmarks'], rows[i]['points'].astype(np.float32))
        for other in others:
            assert (other['id'], other['path']) == (first['id'], first['path'])
            assert np.array_equal(other['landmarks'], first['landmarks'])
            assert np.abs(other['box'] - first['box']).max() < 1e-4


def test_subset_files_become_tags_in_their_order(tmp_path, faces, write):
    rows = faces(6, 98)
    write.csv(tmp_path / 'all.csv', rows)
    write.csv(tmp_path / 'pose.csv', rows[1::2])
    write.csv(tmp_path / 'blur.csv', rows[:2])  # two faces of one picture: the points tell them apart
    data = CsvFaces('all.csv', tmp_path, tags={'pose': 'pose.csv', 'blur': 'blur.csv'})
    assert data.subsets == ('pose', 'blur')
    assert [face['tags'] for face in data.faces] == [('blur',), ('pose', 'blur'), (), ('pose',), (), ('pose',)]
    assert len(CsvFaces('all.csv', tmp_path, tags={'pose': 'pose.csv'}, only='pose')) == 3


def test_a_subset_that_is_not_contained_is_refused(tmp_path, faces, write):
    write.csv(tmp_path / 'all.csv', faces(3, 98))
    write.csv(tmp_path / 'pose.csv', faces(3, 98, seed=1))
    with pytest.raises(DataDefect, match=r'pose.csv: 3 defective records: 1.png#1: not in .*all.csv'):
        CsvFaces('all.csv', tmp_path, tags={'pose': 'pose.csv'})


def test_defects_are_counted_and_the_first_few_named(tmp_path, faces, write):
    rows = faces(9, 98)
    for row in rows[2:]:
        row['points'][5, 1] = np.nan
    write.csv(tmp_path / 'a.csv', rows)
    with pytest.raises(DataDefect) as error:
        CsvFaces('a.csv', tmp_path)
    text = str(error.value)
    assert 'a.csv: 7 defective records: record 3 (2.png): a coordinate is not finite; ' in text
    assert 'and 2 more' in text and '8.png' not in text and error.value.exit_code == 4


def test_an_empty_box_is_a_defect(tmp_path, faces, write):
    rows = faces(2, 98)
    rows[1]['scale'] = 0
    write.csv(tmp_path / 'a.csv', rows)
    with pytest.raises(DataDefect, match=r'record 2 \(1.png\): its box .* is empty'):
        CsvFaces('a.csv', tmp_path)
    assert len(CsvFaces('a.csv', tmp_path, box='tight')) == 2


def test_check_pictures_finds_missing_pictures(tmp_path, faces, write):
    write.csv(tmp_path / 'a.csv', faces(3, 98))
    write.picture(tmp_path / '1.png')
    with pytest.raises(DataDefect, match=r'1 defective record: .*2.png: no such picture'):
        CsvFaces('a.csv', tmp_path, check_pictures=True)
    write.picture(tmp_path / '2.png')
    assert len(CsvFaces('a.csv', tmp_path, check_pictures=True)) == 3


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MissingResource, match='data_root') as error:
        read_text(tmp_path / 'none.csv')
    assert error.value.exit_code == 3
    (tmp_path / 'binary.csv').write_bytes(b'\xff\xfe\x00picture')
    with pytest.raises(DataDefect, match='no text file'):
        read_text(tmp_path / 'binary.csv')
