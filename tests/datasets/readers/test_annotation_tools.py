"""The files of annotation tools: CVAT, Label Studio, labelme, dlib."""

import json

import numpy as np
import pytest
from annotation_tools import human_face, labelled, write_cvat, write_dlib, write_label_studio, write_labelme

from facelmk.datasets.open_faces import open_faces
from facelmk.datasets.tools.convert import write_faces
from facelmk.errors import DataDefect, FacelmkError
from facelmk.markups import MARKUPS

NAMES = ['left_eye', 'right_eye', 'nose', 'left_mouth', 'right_mouth', 'left_ear', 'right_ear']
WRITERS = {
    'cvat': lambda folder, faces: write_cvat(folder / 'a.xml', faces),
    'cvat groups': lambda folder, faces: write_cvat(folder / 'a.xml', faces, 'group'),
    'cvat single points': lambda folder, faces: write_cvat(folder / 'a.xml', faces, 'single'),
    'labelme': lambda folder, faces: write_labelme(folder / 'labelme', faces),
    'label studio': lambda folder, faces: write_label_studio(folder / 'a.json', faces),
    'label studio, minimal': lambda folder, faces: write_label_studio(folder / 'a.json', faces, minimal=True),
}


def own_faces(count=4, names=NAMES):
    """Faces with named points; two of them are in one picture."""
    rng = np.random.default_rng(3)
    return [{'name': f'{max(i, 1)}.png', 'points': human_face(rng, names)} for i in range(count)]


@pytest.mark.parametrize('form', WRITERS)
def test_named_points_are_a_scheme_of_their_own(form, tmp_path):
    made = own_faces()
    data = open_faces(WRITERS[form](tmp_path, made))
    assert len(data) == 4 and data.markup.names == tuple(NAMES)
    assert data.markup.pairs == ((0, 1), (3, 4), (5, 6)) and data.markup.pupils == ((0,), (1,))
    for face, expected in zip(data.faces, made, strict=True):
        assert face['path'].endswith(expected['name']) and face['visible'].all()
        assert np.abs(face['landmarks'] - np.array(list(expected['points'].values()))).max() < 1e-3


@pytest.mark.parametrize(
    'write',
    [
        lambda folder, faces: write_cvat(folder / 'a.xml', faces),
        lambda folder, faces: write_cvat(folder / 'a.xml', faces, 'points'),
        lambda folder, faces: write_labelme(folder / 'x', faces),
        lambda folder, faces: write_dlib(folder / 'a.xml', faces),
        lambda folder, faces: write_label_studio(folder / 'a.json', faces),
    ],
)
def test_numbered_points_are_a_known_scheme(write, faces, tmp_path):
    rows = faces(3, 68)
    data = open_faces(write(tmp_path, labelled(rows)))
    assert data.markup.name == '300w' and len(data) == 3
    for face, row in zip(data.faces, rows, strict=True):
        assert np.abs(face['landmarks'] - row['points']).max() < 1e-3


@pytest.mark.parametrize('form', ['cvat', 'labelme', 'label studio'])
def test_missing_points_are_invisible(form, tmp_path):
    made = own_faces()
    del made[2]['points']['nose']
    data = open_faces(WRITERS[form](tmp_path, made))
    assert data.face(2)['visible'].tolist() == [1, 1, 0, 1, 1, 1, 1] and data.face(1)['visible'].all()


def test_cvat_reads_outside_as_missing_and_occluded_as_there(tmp_path):
    file = write_cvat(tmp_path / 'a.xml', own_faces())
    file.write_text(file.read_text().replace('outside="0"', 'outside="1"', 1))
    assert open_faces(file).face(0)['visible'].tolist() == [0] + [1] * 6


def test_boxes_of_a_file_are_those_of_the_faces_inside(tmp_path):
    file = write_cvat(tmp_path / 'a.xml', own_faces(2, NAMES)[1:], 'single')
    box = '<box label="face" xtl="2" ytl="3" xbr="230" ybr="235"/></image>'
    file.write_text(file.read_text().replace('</image>', box))
    assert open_faces(file).face(0)['box'].tolist() == [2, 3, 230, 235]


def test_the_order_of_cvats_labels_is_that_of_the_file(tmp_path):
    made = own_faces()
    file = write_cvat(tmp_path / 'a.xml', made)
    labels = ''.join(f'<label><name>{name}</name></label>' for name in reversed(NAMES))
    file.write_text(file.read_text().replace('<meta/>', f'<meta><job><labels>{labels}</labels></job></meta>'))
    assert open_faces(file).markup.names == tuple(reversed(NAMES))


def test_strips_of_points_are_numbered(tmp_path):
    """A line of several points with one label, as for the jaw, is label_0, label_1, ..."""
    shapes = [
        dict(label='jaw', points=[[10, 50], [50, 90], [90, 50]], shape_type='linestrip'),
        dict(label='nose', points=[[50, 50]], shape_type='point'),
    ]
    (tmp_path / 'a.json').write_text(json.dumps(dict(shapes=shapes, imagePath='a.jpg', imageData=None)))
    data = open_faces(tmp_path / 'a.json')
    assert data.markup.names == ('jaw_0', 'jaw_1', 'jaw_2', 'nose') and data.face(0)['landmarks'][1].tolist() == [
        50,
        90,
    ]


@pytest.mark.parametrize(
    ('name', 'found'),
    [
        ('/data/local-files/?d=set%20one%2F1.png', 'set one/1.png'),
        ('/data/upload/3/ab12cd34-1.png', 'set one/1.png'),
        ('s3://bucket/faces/1.png', 'set one/1.png'),
        ('C:\\Users\\anna\\faces\\1.png', 'set one/1.png'),
        ('/home/anna/faces/1.png', 'set one/1.png'),
        ('/home/anna/faces/none.png', '/home/anna/faces/none.png'),
    ],
)
def test_pictures_of_another_machine_are_found(name, found, write, tmp_path):
    write.picture(tmp_path / 'set one/1.png')
    made = [{'name': name, 'points': face['points']} for face in own_faces()]
    data = open_faces(write_label_studio(tmp_path / 'a.json', made))
    assert data.face(0)['path'] == str(tmp_path / found)


def test_of_two_pictures_of_one_name_that_in_the_same_folder_is_taken(write, tmp_path):
    write.picture(tmp_path / 'p/one/1.png'), write.picture(tmp_path / 'p/two/1.png')
    made = [{'name': name, 'points': own_faces()[0]['points']} for name in ('/x/two/1.png', '/x/three/1.png')]
    data = open_faces(write_labelme(tmp_path / 'p', made[:1]))
    assert data.face(0)['path'] == str(tmp_path / 'p/two/1.png')
    assert open_faces(write_labelme(tmp_path / 'p', made[1:])).face(0)['path'] == '/x/three/1.png'  # either could be it


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotations><image name="a"/></annotations>', 'document type'),
        ('<annotations><image name="a.png">', 'no complete XML'),
        ('<annotations>' + '<image>' * 60 + '</image>' * 60 + '</annotations>', 'inside one another'),
        ('<annotations><image name="a.png"/></annotations>', 'no face'),
    ],
)
def test_xml_that_is_refused(content, message, tmp_path):
    (tmp_path / 'a.xml').write_text(content)
    with pytest.raises(DataDefect, match=message):
        open_faces(tmp_path / 'a.xml')


@pytest.mark.parametrize(
    ('form', 'old', 'new', 'record'),
    [
        ('cvat', 'points="', 'points="x', 'image 0 .1.png.'),
        ('labelme', '"points": [[', '"points": [["x", ', r'1\.json|the file'),
        ('label studio', '"original_width": 240', '"original_width": "wide"', 'task 1'),
    ],
)
def test_a_defect_names_file_and_record(form, old, new, record, tmp_path):
    path = WRITERS[form](tmp_path, own_faces())
    file = path / '1.json' if path.is_dir() else path
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(DataDefect, match=record) as error:
        open_faces(path)
    assert str(path) in str(error.value)
    assert len(open_faces(path, defects='skip')) == 2


def test_a_misspelt_label_is_a_defect_of_its_face_alone(tmp_path):
    made = [{'name': f'{i}.png', 'points': own_faces()[0]['points']} for i in range(60)]
    made[7]['points'] = {'lft_eye' if name == 'left_eye' else name: xy for name, xy in made[7]['points'].items()}
    with pytest.raises(DataDefect, match='7.json: the label lft_eye'):
        open_faces(write_labelme(tmp_path / 'x', made))
    assert len(open_faces(tmp_path / 'x', defects='skip')) == 59


@pytest.mark.parametrize('form', ['cvat', 'labelme', 'labelstudio', 'dlib'])
def test_written_and_read_again(form, write, faces, tmp_path):
    for name in ('1.png', '2.png'):
        write.picture(tmp_path / f'in/{name}')
    data = open_faces(write_labelme(tmp_path / 'in', own_faces(3)))
    target = tmp_path / 'out' / {'labelme': 'a', 'labelstudio': 'a.json'}.get(form, 'a.xml')
    written = write_faces(data, form, target)
    back = open_faces(written.path, image_root=None if form == 'labelme' else tmp_path / 'in')
    assert back.markup.names == data.markup.names and len(written.lost) == (form == 'dlib')
    for face, other in zip(data.faces, back.faces, strict=True):
        assert face['path'].rpartition('/')[2] == other['path'].rpartition('/')[2]
        for key in ('landmarks', 'box', 'visible'):
            assert np.abs(face[key] - other[key]).max() <= (0.5 if form == 'dlib' else 1e-3)


def test_a_wrong_scheme_is_one_line_that_names_the_right_one(faces, tmp_path):
    folder = write_labelme(tmp_path / 'x', labelled(faces(30, 68)))
    with pytest.raises(FacelmkError, match='--markup wflw has 98. Write --markup 300w') as error:
        open_faces(folder, 'wflw')
    assert str(error.value).count('\n') == 0
    assert open_faces(folder, 'coco_wholebody_face').markup is MARKUPS['coco_wholebody_face']


def test_a_folder_is_searched_for_its_annotations(write, tmp_path):
    """Other files beside them do not matter, and a folder with one unusable file is answered by its reader."""
    made = own_faces()
    for name in ('1.png', '2.png', '3.png'):
        write.picture(tmp_path / f'set/images/{name}')
    (tmp_path / 'set/README.txt').write_text('Our faces.')
    with pytest.raises(FacelmkError, match=r'no reader knows this folder, with README\.txt'):
        open_faces(tmp_path / 'set')
    write_cvat(tmp_path / 'set/annotations/annotations.xml', made)
    data = open_faces(tmp_path / 'set')
    assert data.markup.name == 'set_7' and data.face(0)['path'] == str(tmp_path / 'set/images/1.png')
    (tmp_path / 'set/more.json').write_text('{"a": 1}')
    assert len(open_faces(tmp_path / 'set')) == 4
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other/a.json').write_text('{"images": [], "annotations": []}')
    with pytest.raises(DataDefect, match=r'a\.json holds no face'):
        open_faces(tmp_path / 'other')


def test_several_files_of_a_folder_are_named(tmp_path):
    for name in ('one.xml', 'two.xml'):
        write_cvat(tmp_path / name, own_faces())
    with pytest.raises(FacelmkError, match=r'several files of annotations: .*one\.xml, .*two\.xml'):
        open_faces(tmp_path)
