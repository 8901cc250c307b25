"""MMPose's data set classes, with the arguments that its configs give them."""

import json

import numpy as np
import pytest

from facelmk.config import load_config
from facelmk.datasets import CropFace
from facelmk.errors import FacelmkError, UnknownName
from facelmk.registry import DATASETS

NAMES = {
    'WFLWDataset': ('wflw', 98),
    'Face300WDataset': ('300w', 68),
    'AFLWDataset': ('aflw', 19),
    'Face300WLPDataset': ('300wlp', 68),
    'COFWDataset': ('cofw', 29),
    'LapaDataset': ('lapa', 106),
}


def build(name, root, **options):
    return DATASETS.build(
        dict(
            type=name,
            data_root=f'{root}/',
            data_mode='topdown',
            ann_file='annotations/a.json',
            data_prefix=dict(img='images/'),
        )
        | options
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'annotations').mkdir()
    return tmp_path


@pytest.mark.parametrize('name', NAMES)
def test_landmark_scheme_and_boxes_of_each_class(name, folder, faces, write):
    markup, size = NAMES[name]
    rows = faces(3, size)
    write.json(folder / 'annotations/a.json', rows)
    data = build(name, folder, test_mode=True, pipeline=[], metainfo=dict(from_file='x.py'), lazy_init=False)
    assert data.markup.name == markup and len(data) == 3
    face = data.face(2)
    assert face['path'] == str(folder / 'images/2.png')
    assert np.array_equal(face['landmarks'], rows[2]['points'].astype(np.float32))
    x, y = rows[2]['centre'] - 100 * rows[2]['scale']
    from_scale = markup in ('wflw', '300w', 'aflw')  # MMPose's other classes read bbox
    expected = (
        [x, y, x + 200 * rows[2]['scale'], y + 200 * rows[2]['scale']]
        if from_scale
        else [max(x - 5, 0), max(y - 5, 0), x + 55, y + 45]
    )
    assert face['box'] == pytest.approx(expected, abs=1e-3)
    assert face['norm'] == pytest.approx(200 * rows[2]['scale']) and len(build(name, folder, indices=2)) == 2
    assert [face['id'] for face in build(name, folder, indices=[2]).faces] == ['2.png']


def test_wholebody_faces(folder, faces):
    points = faces(1, 68)[0]['points']
    face = dict(
        id=1,
        image_id=5,
        iscrowd=0,
        keypoints=[1] * 51,
        face_box=[30, 40, 50, 60],
        face_valid=True,
        face_kpts=np.c_[points, np.ones(68)].ravel().tolist(),
    )
    (folder / 'annotations/a.json').write_text(
        json.dumps(dict(images=[dict(id=5, file_name='5.jpg', width=640, height=480)], annotations=[face]))
    )
    data = build('CocoWholeBodyFaceDataset', folder)
    assert data.markup.name == 'coco_wholebody_face' and data.face(0)['box'].tolist() == [30, 40, 80, 100]


def test_json_of_its_converter_is_read(folder, faces, write):
    """tools/dataset_converters/wflw2coco.py writes `is_crowd`; MMPose's own class fails without `iscrowd`."""
    file = write.json(folder / 'annotations/a.json', faces(3, 98), ('center', 'scale', 'bbox'), is_crowd=0)
    assert all('iscrowd' not in annotation for annotation in json.loads(file.read_text())['annotations'])
    assert len(build('WFLWDataset', folder)) == 3


def test_faces_of_300wlp_mirror(folder, faces, write):
    """MMPose's 300W-LP has no pairs: in a mirrored face the points of the left eye stay on the other side."""
    rows = faces(1, 68)
    write.json(folder / 'annotations/a.json', rows)
    steps = [lambda face: face | {'image': np.zeros((240, 240, 3), np.uint8)}, CropFace(flip=1.0)]
    data = build('Face300WLPDataset', folder, pipeline=steps)
    there = data[0]['landmarks']
    assert np.array_equal(there[36], data.face(0)['landmarks'][45]) and not np.array_equal(there[36], there[45])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (
            dict(pipeline=[dict(type='LoadImage'), dict(type='GetBBoxCenterScale'), dict(type='mmpose.TopdownAffine')]),
            r'CropFace.*GetBBoxCenterScale: CropFace\(padding=1.25\), TopdownAffine: CropFace\(size=256\)',
        ),
        (dict(data_mode='bottomup'), "'topdown'"),
        (dict(filter_cfg=dict(a=1)), 'filter_cfg='),
    ],
)
def test_unsupported_options_are_refused_with_the_alternative(options, message, folder, faces, write):
    write.json(folder / 'annotations/a.json', faces(1, 98))
    with pytest.raises(FacelmkError, match=message):
        build('WFLWDataset', folder, **options)


def test_a_pipeline_of_mmpose_is_refused_with_the_alternative(tmp_path):
    (tmp_path / 'theirs.py').write_text(
        "train_dataloader = dict(batch_size=2, dataset=dict(type='WFLWDataset', data_root='data/wflw/', "
        "data_mode='topdown', ann_file='a.json', data_prefix=dict(img='images/'), pipeline=[dict(type='LoadImage'), "
        "dict(type='GetBBoxCenterScale')]))\n"
    )
    with pytest.raises(UnknownName, match=r"'GetBBoxCenterScale'.*CropFace\(padding=1.25\)"):
        load_config(tmp_path / 'theirs.py')
    text = (tmp_path / 'theirs.py').read_text().replace("dict(type='GetBBoxCenterScale')", '')
    (tmp_path / 'ours.py').write_text(text)
    assert load_config(tmp_path / 'ours.py').train_dataloader.dataset.type == 'WFLWDataset'


def test_as_one_of_several_layouts(folder, faces, write):
    (folder / 'images').mkdir()
    write.json(folder / 'annotations/a.json', faces(2, 98))
    layout = dict(type='WFLWDataset', ann_file='annotations/{split}.json', data_prefix='images')
    data = DATASETS.build(dict(type='PublishedFaces', root=str(folder), split='a', markup='wflw', layouts=[layout]))
    assert len(data) == 2
