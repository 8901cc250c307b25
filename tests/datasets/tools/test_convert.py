"""Conversions between all formats: points within a thousandth of a pixel; boxes, subsets and norms if possible."""

import csv
import itertools
import json
import re
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from facelmk.datasets import CocoFaces, CofwMat, CsvFaces, JoinedFaces, WflwTxt
from facelmk.datasets.open_faces import open_faces
from facelmk.datasets.tools.convert import FORMATS, write_faces
from facelmk.errors import FacelmkError, MissingResource, UnknownName
from facelmk.markups import convert

SIZES = {'wflw': 98, '300w': 68, 'cofw': 29, 'aflw': 19, 'lapa': 106}
ENDINGS = {'coco': '.json', 'csv': '.csv', 'wflw': '.txt', 'cvat': '.xml', 'labelstudio': '.json', 'npz': '.npz'}
WHOLE_PIXELS = 'dlib'  # has a test of its own
WITH_PICTURES = ('pts', 'lapa', 'labelme')  # folders
EXACT = [form for form in FORMATS if form != WHOLE_PIXELS]
ABLE = {markup: [form for form in EXACT if form not in ('wflw', 'lapa') or form == markup] for markup in SIZES}
PAIRS = [(markup, *pair) for markup, forms in ABLE.items() for pair in itertools.product(forms, repeat=2)]


@pytest.fixture
def make_set(tmp_path, faces, write):
    """Makes a set of three faces in two pictures, with tags, box sizes and one box that is no square."""

    def make_set(markup, tags=('pose', 'blur')):
        rows = faces(3, SIZES[markup], seed=5)
        for row in rows:
            write.picture(tmp_path / 'in/images' / row['name'])
        file = write.json(tmp_path / 'in/a.json', rows, ('center', 'scale', 'bbox', 'box_size'))
        content = json.loads(file.read_text())
        for face, own in zip(content['annotations'], [tags[:1], tags, ()], strict=True):
            face['tags'] = list(own)
        del content['annotations'][2]['center']
        content['subsets'] = list(tags)
        file.write_text(json.dumps(content))
        return CocoFaces('a.json', tmp_path / 'in', 'images', markup)

    return make_set


def target(root, form):
    return root / f'{form}{ENDINGS.get(form, "")}'


def sorted_landmarks(data):
    return np.stack(sorted((data.face(i)['landmarks'] for i in range(len(data))), key=lambda points: points[0, 0]))


@pytest.mark.parametrize(('markup', 'first', 'second'), PAIRS)
def test_two_conversions_change_points_by_less_than_a_thousandth_of_a_pixel(markup, first, second, make_set, tmp_path):
    data = make_set(markup)
    one = write_faces(data, first, target(tmp_path / 'one', first))
    middle = open_faces(one.path, markup, None if first in WITH_PICTURES else data.image_root)
    two = write_faces(middle, second, target(tmp_path / 'two', second))
    end = open_faces(two.path, markup, None if second in WITH_PICTURES else data.image_root)
    assert one.faces == two.faces == len(middle) == len(end) == 3 and end.markup.name == markup
    for read in (middle, end):
        assert np.abs(sorted_landmarks(read) - sorted_landmarks(data)).max() < 1e-3
        assert all(read.face(i)['visible'].min() == 1 for i in range(3))


@pytest.mark.parametrize('markup', SIZES)
def test_coco_holds_everything(markup, make_set, tmp_path):
    data = make_set(markup)
    assert write_faces(data, 'coco', tmp_path / 'out/b.json').lost == []
    back = open_faces(tmp_path / 'out/b.json', markup, data.image_root)
    assert back.subsets == data.subsets == ('pose', 'blur')
    for i in range(3):
        one, other = data.face(i), back.face(i)
        assert np.abs(one['box'] - other['box']).max() < 1e-3 and one['norm'] == other['norm']
        assert (one['tags'], one['path'], one['id']) == (other['tags'], other['path'], other['id'])
    images = json.loads((tmp_path / 'out/b.json').read_text())['images']
    assert [(image['width'], image['height']) for image in images] == [(240, 240)] * 2


def test_csv_holds_square_boxes_norms_and_subsets_in_separate_lists(make_set, tmp_path):
    data = make_set('wflw')
    written = write_faces(data, 'csv', tmp_path / 'b.csv')
    assert written.lost == ['the shape of 1 boxes: they become squares with the longer side']
    back = CsvFaces('b.csv', tmp_path, 'in/images', tags=dict(pose='b_pose.csv', blur='b_blur.csv'))
    for i in range(3):
        one, other = data.face(i), back.face(i)
        centre, side = (one['box'][:2] + one['box'][2:]) / 2, np.ptp(one['box'].reshape(2, 2), 0).max()
        assert other['box'] == pytest.approx([*(centre - side / 2), *(centre + side / 2)], abs=1e-3)
        assert other['norm'] == one['norm'] and other['tags'] == one['tags']
    head = next(csv.reader((tmp_path / 'b.csv').open()))
    assert head[:7] == ['image_name', 'scale', 'box_size', 'center_w', 'center_h', 'original_0_x', 'original_0_y']


def test_wflws_list_holds_boxes_and_its_six_subsets(make_set, tmp_path):
    data = make_set('wflw', ('pose', 'mine'))
    lost = write_faces(data, 'wflw', tmp_path / 'b.txt').lost
    assert "box='provided'" in lost[0] and 'normaliser' in lost[1] and lost[2] == 'the subsets mine'
    back = WflwTxt('b.txt', tmp_path, 'in/images', box='provided')
    assert [face['tags'] for face in back.faces] == [('pose',), ('pose',), ()]
    assert all(np.abs(back.face(i)['box'] - data.face(i)['box']).max() < 1e-3 for i in range(3))
    assert len((tmp_path / 'b.txt').read_text().splitlines()[0].split()) == 207


def test_wflws_lists_become_json_with_the_boxes_of_published_tables(tmp_path, faces, write):
    """MMPose's wflw2coco.py leaves the centre unrounded and divides the box by a scale; its file lacks `iscrowd`."""
    rows = faces(3, 98)
    write.txt(tmp_path / 'list.txt', rows, ['000000', '111111', '000001'])
    write_faces(open_faces(tmp_path / 'list.txt'), 'coco', tmp_path / 'a.json')
    content = json.loads((tmp_path / 'a.json').read_text())
    for face, row in zip(content['annotations'], rows, strict=True):
        assert face['center'] == row['centre'].tolist() and face['scale'] == pytest.approx(row['scale'], abs=1e-9)
        assert face['iscrowd'] == 0 and face['num_keypoints'] == 98
    assert content['subsets'] == ['pose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur']


@pytest.mark.parametrize('form', ['pts', 'lapa'])
def test_folders_hold_pictures_and_the_result_says_what_is_lost(form, make_set, tmp_path):
    data = make_set('lapa')
    lost = ' '.join(write_faces(data, form, tmp_path / 'out').lost)
    assert all(word in lost for word in ('boxes', 'normaliser', 'subsets blur, pose'))
    back = open_faces(tmp_path / 'out', 'lapa')
    assert len(back) == 3 and all(face['path'].startswith(str(tmp_path / 'out')) for face in back.faces)
    assert {face['id'] for face in back.faces} == {'1.png', '1_2.png', '2.png'}  # two faces of one picture
    write_faces(data, form, tmp_path / 'bare', pictures='none')
    assert not list((tmp_path / 'bare').rglob('*.png')) and next((tmp_path / 'out').rglob('*.png')).is_symlink()
    write_faces(data, form, tmp_path / 'copied', pictures='copy')
    assert not any(path.is_symlink() for path in (tmp_path / 'copied').rglob('*.png'))


@pytest.mark.parametrize(('form', 'markup'), [('coco', '300w'), ('csv', '300w'), ('pts', '300w'), ('lapa', 'lapa')])
def test_an_interrupted_conversion_leaves_the_old_files(form, markup, make_set, tmp_path, monkeypatch):
    data, out = make_set(markup), target(tmp_path / 'out', form)
    write_faces(data, form, out, pictures='copy')
    before = {path: path.read_bytes() for path in (tmp_path / 'out').rglob('*') if path.is_file()}

    def fail(*paths):
        raise OSError('no space left')

    monkeypatch.setattr('os.replace', fail)
    for face in data.faces:
        face['landmarks'] += 1
    with pytest.raises(OSError, match='no space left'):
        write_faces(data, form, out, pictures='copy')
    assert before == {path: path.read_bytes() for path in (tmp_path / 'out').rglob('*') if path.is_file()}


def test_images_that_faces_contain_are_saved(tmp_path, faces, write):
    pictures = [np.full((3, 100, 80), 40 * i, np.uint8) for i in range(2)]
    write.mat(tmp_path / 'COFW_test_color.mat', faces(2, 29), pictures, [[20, 20, 50, 50]] * 2)
    data = open_faces(tmp_path / 'COFW_test_color.mat')
    assert isinstance(data, CofwMat) and data.origin == 1
    write_faces(data, 'coco', tmp_path / 'out/cofw_test.json')
    back = open_faces(tmp_path / 'out/cofw_test.json')
    assert back.markup.name == 'cofw' and [face['id'] for face in back.faces] == ['000001.png', '000002.png']
    for i in range(2):
        assert np.abs(back.face(i)['landmarks'] - data.face(i)['landmarks']).max() < 1e-3
        assert np.abs(back.face(i)['box'] - data.face(i)['box']).max() < 1e-3
    assert cv2.imread(back.face(1)['path']).shape == (80, 100, 3)


def test_another_landmark_scheme(make_set, tmp_path):
    data = make_set('wflw')
    write_faces(data, 'pts', tmp_path / 'out', markup='300w')
    expected = np.stack([convert(data.face(i)['landmarks'], np.ones(98), 'wflw', '300w')[0] for i in range(3)])
    assert np.abs(sorted_landmarks(open_faces(tmp_path / 'out')) - expected[np.argsort(expected[:, 0, 0])]).max() < 1e-3


def test_missing_points_are_only_written_in_formats_that_can_mark_them(make_set, tmp_path):
    data = make_set('cofw')
    with pytest.raises(FacelmkError, match="3 faces lack points .*'lapa'.* coco"):
        write_faces(data, 'csv', tmp_path / 'b.csv', markup='lapa')
    assert write_faces(data, 'coco', tmp_path / 'b.json', markup='lapa').lost == []
    assert open_faces(tmp_path / 'b.json').face(0)['visible'].sum() == 29


def test_invisible_points_with_coordinates_are_written_and_reported(tmp_path, faces, write):
    file = write.json(tmp_path / 'a.json', faces(2, 68), flag=0)
    content = json.loads(file.read_text())
    content['annotations'][0]['keypoints'][2] = 2
    file.write_text(json.dumps(content))
    lost = write_faces(open_faces(file), 'csv', tmp_path / 'b.csv').lost
    assert lost == ['which points are not visible (2 faces have some)']


def test_joined_sets_are_written_from_their_common_folder(make_set, tmp_path):
    data = JoinedFaces([make_set('cofw')])
    write_faces(data, 'csv', tmp_path / 'b.csv')
    assert [face['path'] for face in open_faces(tmp_path / 'b.csv', image_root=tmp_path / 'in/images').faces] == [
        data.face(i)['path'] for i in range(3)
    ]


def test_impossible_conversions(make_set, tmp_path):
    data = make_set('cofw')
    with pytest.raises(UnknownName, match="'coco'"):
        write_faces(data, 'cocoa', tmp_path / 'b')
    with pytest.raises(FacelmkError, match='wflw holds 98 points'):
        write_faces(data, 'wflw', tmp_path / 'b')


@pytest.mark.parametrize('markup', SIZES)
def test_dlibs_file_has_whole_pixels_in_the_order_of_the_points(markup, make_set, tmp_path):
    data = make_set(markup)
    written = write_faces(data, WHOLE_PIXELS, tmp_path / 'b.xml')
    assert 'whole pixels' in written.lost[0]
    names = re.findall('name=.([0-9]+).', written.path.read_text())[: SIZES[markup]]
    assert names == sorted(names) and list(map(int, names)) == list(range(SIZES[markup]))  # dlib sorts them as texts
    back = open_faces(written.path, markup, data.image_root)
    assert np.array_equal(sorted_landmarks(back), np.rint(sorted_landmarks(data)))
    assert all(np.array_equal(back.face(i)['box'], np.rint(data.face(i)['box'])) for i in range(3))


# -- telling a format by what is there


def test_format_landmark_scheme_and_pictures_are_detected(make_set, tmp_path, faces, write):
    for markup in SIZES:
        data = make_set(markup)
        for form in ABLE[markup]:
            result = open_faces(write_faces(data, form, target(tmp_path / 'in' / f'{markup}', form)).path)
            assert result.markup.name == markup
            assert all(face['path'].endswith('.png') for face in result.faces)
    assert open_faces(tmp_path / 'in/a.json').face(0)['path'] == str(tmp_path / 'in/images/1.png')
    assert open_faces(tmp_path / 'in/a.json', image_root='elsewhere').face(0)['path'] == 'elsewhere/1.png'


def test_faces_of_bodies_are_detected(tmp_path, faces):
    face = np.c_[faces(1, 68)[0]['points'], np.full(68, 2.0)]
    for count, first in ((136, 26), (133, 23)):
        points = np.concatenate([np.ones((first, 3)), face, np.ones((count - first - 68, 3))])
        (tmp_path / 'a.json').write_text(
            json.dumps(
                dict(
                    images=[dict(id=5, file_name='a.jpg')],
                    annotations=[dict(id=1, image_id=5, keypoints=points.ravel().tolist())],
                )
            )
        )
        data = open_faces(tmp_path / 'a.json')
        assert data.markup.name == '300w' and np.abs(data.face(0)['landmarks'] - face[:, :2]).max() < 1e-3


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('a.xml', '<a/>', 'an .xml that begins with <a>.*COCO'),
        ('a.txt', '1 2 3', 'no list of WFLW'),
        ('a.csv', 'image_name,scale,center_w,center_h,x,y\n', 'a.csv has 1 points'),
    ],
)
def test_files_without_annotations(name, content, message, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(FacelmkError, match=message):
        open_faces(tmp_path / name)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FacelmkError, match='empty: .*a folder of .pts'):
        open_faces(tmp_path / 'empty')
    with pytest.raises(MissingResource, match='is not there'):
        open_faces(tmp_path / 'none.json')


@pytest.mark.parametrize(
    'content',
    [b'P6 40000 40000 255\n', b'\x89PNG\r\n\x1a\n' + struct.pack('>I4s', 13, b'IHDR'), b''],
    ids=['too large', 'cut off', 'empty'],
)
def test_the_size_of_an_unreadable_picture_is_left_out(make_set, tmp_path, content):
    data = make_set('wflw')
    Path(data.face(0)['path']).write_bytes(content)
    written = write_faces(data, 'coco', tmp_path / 'out.json')
    images = json.loads(written.path.read_text())['images']
    assert [('width' in image) for image in images] == [False, True]
