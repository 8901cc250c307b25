"""`check` lists every kind of defect by file and record, and none in valid sets."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from facelmk.datasets import CofwMat, CsvFaces, JoinedFaces, PtsFaces, PublishedFaces, RepeatedFaces, SyntheticFaces
from facelmk.datasets.base import with_reader_options
from facelmk.datasets.open_faces import open_faces
from facelmk.datasets.tools.check import check, is_turned, shared_pictures, turned_pictures
from facelmk.errors import DataDefect
from facelmk.registry import DATASETS

FACE = np.array([[30.0, 40], [70, 40], [50, 60], [35, 80], [65, 80]])  # eyes, nose, mouth, upright


@pytest.fixture
def table(tmp_path, write):
    """Writes a json of five-point faces, each with its own picture; `changes` damage them."""

    def table(*changes):
        rows = [
            dict(name=f'{i}.png', points=FACE + i, centre=np.array([50.0, 60]) + i, scale=0.3, box_size=60.0)
            for i in range(len(changes))
        ]
        file = write.json(tmp_path / 'a.json', rows, ('center', 'scale', 'bbox'))
        content = json.loads(file.read_text())
        for i, change in enumerate(changes):
            write.picture(tmp_path / f'{i}.png')
            change(content['annotations'][i], content['images'][i])
        file.write_text(json.dumps(content))
        return file

    return table


def valid(face, image):
    pass


def put_value(index, value):
    return lambda face, image: face['keypoints'].__setitem__(index, value)


def mirrored(face, image):
    face['keypoints'][0::3] = [100 - x for x in face['keypoints'][0::3]]


def list_defects(file):
    return [
        (defect.record, defect.wrong) for defect in check(lambda defects: open_faces(file, defects=defects)).defects
    ]


def test_a_valid_set_has_no_defect(table):
    result = check(lambda defects: open_faces(table(valid, valid), defects=defects))
    assert (result.faces, result.pictures, result.defects) == (2, 2, [])
    assert result.summary() == '2 faces, 2 pictures: no defect'


@pytest.mark.parametrize('swapped, is_reported', [(10, True), (3, True), (2, False)])
def test_a_set_whose_sides_are_swapped(table, swapped, is_reported):
    result = list_defects(table(*[mirrored] * swapped, *[valid] * (10 - swapped)))
    assert len([record for record, text in result if 'wrong sides' in text]) == swapped
    assert [text.split(':')[0] for record, text in result if record == 'the data set'] == [
        f'left and right are swapped in {swapped} of 10 faces'
    ] * is_reported


@pytest.mark.parametrize('markup', ['wflw', '300w', 'cofw', 'aflw', 'lapa'])
def test_drawn_faces_of_every_markup_have_no_defect(markup):
    """Rotated heads, too: the limits for eyes, boxes and borders have a margin."""
    result = check(lambda defects: SyntheticFaces(markup, 30, seed=2, size=96))
    assert result.faces == result.pictures == 30 and result.defects == []


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (put_value(3, float('nan')), 'a coordinate is not finite'),
        (lambda face, image: face.update(scale=1e-3), 'its box is 0.2 pixels wide'),
        (lambda face, image: face.update(scale=-0.3), 'is empty'),
        (lambda face, image: face['keypoints'].pop(), '14 numbers, 15 expected'),
        (put_value(3, 'x'), "'x' is no number"),
        (lambda face, image: face.update(image_id=77), 'its picture 77 is not listed'),
        (put_value(12, 400.0), '1 points lie up to 161 pixels outside the picture of 240x240 (the first is point 4)'),
        (put_value(1, -40.0), '1 points lie up to 40 pixels outside'),
        (lambda face, image: face.update(center=[200.0, 60]), 'its points lie 149 pixels beside its box'),
        (lambda face, image: face.update(scale=1.5), 'its box is 300 pixels wide, its points 40: the box of a body?'),
        (mirrored, 'left and right eye are on the wrong sides'),
        (lambda face, image: image.update(file_name='none.png'), 'none.png cannot be read (No such file or directory)'),
        (lambda face, image: image.update(width=120), '1.png is 240x240 pixels, the json says 120x240'),
    ],
)
def test_each_defect_is_found_with_its_record(change, message, table):
    """The second of three faces is damaged."""
    result = list_defects(table(valid, change, valid))
    assert len(result) == 1 and message in result[0][1]
    assert any(name in result[0][0] for name in ('record 2 (1.png)', 'record 2 (none.png)', 'annotation 2'))


def test_all_defects_of_a_file_at_once(table, tmp_path):
    file = table(
        put_value(3, float('nan')),
        valid,
        mirrored,
        put_value(12, 400.0),
        lambda face, image: face['keypoints'].pop(),
        lambda face, image: face.update(image_id=77),
        valid,
    )
    (tmp_path / '1.png').write_bytes(b'\xff\xd8 broken')
    (tmp_path / '6.png').write_bytes(b'')
    result = check(lambda defects: open_faces(file, defects=defects))
    assert {defect.file for defect in result.defects} == {str(file)}
    messages = sorted((defect.record, defect.wrong[:14]) for defect in result.defects)
    assert messages == [
        ('annotation 5', '14 numbers, 15'),
        ('annotation 6', 'its picture 77'),
        ('record 1 (0.png)', 'a coordinate i'),
        ('record 2 (1.png)', f'its picture {tmp_path}'[:14]),
        ('record 3 (2.png)', 'left and right'),
        ('record 4 (3.png)', '1 points lie u'),
        ('record 6 (6.png)', f'its picture {tmp_path}'[:14]),
    ]
    with pytest.raises(DataDefect):  # reading for training still raises
        open_faces(file)


def test_the_same_face_twice_and_ids_given_twice(table):
    def again(face, image):
        face.update(image_id=0, id=1, keypoints=np.c_[FACE, np.ones(5)].ravel().tolist())

    result = list_defects(table(valid, again))
    assert result == [('annotations[1]', 'its id is that of annotations[0], too')]

    def other(face, image):
        again(face, image), face.update(id=2)

    assert list_defects(table(valid, other)) == [('record 2 (0.png#2)', 'the same face as record 1')]


def test_pictures_need_not_be_checked(table, tmp_path):
    file = table(valid, valid)
    (tmp_path / '0.png').write_bytes(b'broken'), (tmp_path / '1.png').unlink()
    count = {
        how: len(check(lambda defects: open_faces(file, defects=defects), how).defects)
        for how in ('decode', 'there', 'none')
    }
    assert count == {'decode': 2, 'there': 1, 'none': 0}


def test_published_numbers_by_split_and_subset(tmp_path, faces, write):
    rows = faces(4, 98)
    write.csv(tmp_path / 'test.csv', rows), write.csv(tmp_path / 'test_blur.csv', rows[:1])
    layouts = [dict(type='CsvFaces', ann_file='{split}.csv')]

    def counted(only=None, **counts):
        data = PublishedFaces(
            str(tmp_path), 'test', layouts, 'wflw', subset_files=dict(blur='blur'), only=only, counts=counts
        )
        return [
            defect[1:]
            for defect in check(lambda defects: JoinedFaces([RepeatedFaces(data, 2)]), 'none').defects
            if 'published' in defect.wrong
        ]

    assert counted(test=4, blur=1, train=7) == []
    assert counted(test=5, blur=2) == [('test', '4 faces, 5 were published'), ('blur', '1 faces, 2 were published')]
    assert counted(only='blur', test=5, blur=1) == []


def test_contained_images_and_pts(tmp_path, faces, write):
    pictures = [np.zeros((3, 240, 240), np.uint8), np.zeros((3, 20, 20), np.uint8)]
    write.mat(tmp_path / 'COFW_test_color.mat', faces(2, 29), pictures, [[20, 20, 150, 150], [0, 0, 150, 150]])
    result = check(
        lambda defects: CofwMat('COFW_test_color.mat', tmp_path, markup='cofw', box='tight', defects=defects)
    )
    assert result.pictures == 2 and any('outside the picture of 20x20' in wrong for _, _, wrong in result.defects)
    for i, row in enumerate(faces(2, 68)):
        write.pts(tmp_path / 'pts' / f'{i}.png', row['points'])
    (tmp_path / 'pts/1.pts').write_text('version: 1\n')
    (defect, *_), *_ = [check(lambda defects: PtsFaces(data_root=tmp_path / 'pts', defects=defects)).defects]
    assert defect.file.endswith('1.pts') and 'holds no' in defect.wrong


def test_what_cannot_be_read_at_all_is_one_defect(tmp_path):
    (tmp_path / 'a.json').write_text('{"images": [')
    (defect,) = check(lambda defects: open_faces(tmp_path / 'a.json', defects=defects)).defects
    assert defect.record == 'the data set' and 'is no json' in defect.wrong


def test_pictures_in_training_and_test(tmp_path, faces, write):
    rows = faces(4, 98)
    for split, part in (('train', rows[:3]), ('test', rows[1:])):  # 1.png is in both, under another name
        write.csv(tmp_path / f'{split}.csv', [row | dict(name=f'{split}{row["name"]}') for row in part])
    for i, name in enumerate(('train1', 'train2', 'test1', 'test2', 'test3')):
        write.picture(tmp_path / f'{name}.png', width=240 if name[-1] == '1' else 200 + i)
    result = {
        split: check(lambda defects, split=split: CsvFaces(f'{split}.csv', tmp_path, defects=defects))
        for split in ('train', 'test')
    }
    assert shared_pictures(result) == [f'1 pictures of test are in train, too; the first is {tmp_path}/test1.png']
    assert shared_pictures({'test': result['test']}) == []


def test_each_reader_lists_its_own_defects(table):
    file = table(put_value(3, float('nan')), valid)
    kept = open_faces(file, defects='keep')
    assert len(kept) == 2 and len(kept.defects) == 1 and np.isnan(kept.face(0)['landmarks']).all()
    with pytest.raises(DataDefect):
        open_faces(file)
    skipped = open_faces(file, defects='skip')
    assert [face['id'] for face in skipped.faces] == ['1.png'] and skipped.defects == kept.defects


def test_defects_of_joined_sets_are_all_listed(table, tmp_path):
    file = table(put_value(3, float('nan')), valid)
    reader = dict(type='CocoFaces', ann_file=str(file), image_root=str(tmp_path), markup='five')
    broken = tmp_path / 'broken.json'
    broken.write_text('{')
    config = dict(
        type='JoinedFaces',
        datasets=[dict(dataset=reader, name='a'), dict(type='RepeatedFaces', dataset=reader, times=2)],
    )
    read = lambda defects: DATASETS.build(with_reader_options(config, defects=defects))  # noqa: E731
    assert [wrong for _, _, wrong in check(read).defects] == ['a coordinate is not finite'] * 2
    config['datasets'].append(dict(type='CocoFaces', ann_file=str(broken), markup='five'))
    result = check(read).defects
    assert len(result) == 3 and result[2].file == str(broken) and result[2].record == 'the data set'


@pytest.mark.parametrize('suffix', ['jpg', 'png'])
def test_pictures_that_exif_turns_are_a_note(suffix, tmp_path):
    """They are no defect: landmarks of the upright picture are right."""
    for orientation in (None, 1, 3, 6):
        exif = Image.Exif()
        exif.update({0x0112: orientation} if orientation else {})
        Image.new('RGB', (150, 150)).save(tmp_path / f'{orientation}.{suffix}', exif=exif)
        rows = ''.join(f'{20 + i} {30 + i * i / 50}\n' for i in range(68))
        (tmp_path / f'{orientation}.pts').write_text(f'version: 1\nn_points: 68\n{{\n{rows}}}\n')
    result = check(lambda defects: PtsFaces(tmp_path, '300w', defects=defects))
    assert sorted(result.turned) == [str(tmp_path / f'{orientation}.{suffix}') for orientation in (3, 6)]
    (note,) = turned_pictures({'train': result, 'val': check(lambda _: SyntheticFaces('300w', 1, size=64))})
    assert '2 of 4 pictures of train' in note and 'upright' in note


@pytest.mark.parametrize('form', ['JPEG', 'PNG', 'WEBP'])
@pytest.mark.parametrize('orientation', [0, 1, 2, 6, 8, 9])
def test_whether_exif_turns_a_picture(form, orientation):
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.new('RGB', (40, 30)).save(file, form, exif=exif)
    assert is_turned(file.getvalue()) == (orientation in range(2, 9))
    assert not is_turned(b'Exif' + file.getvalue()[:20])
