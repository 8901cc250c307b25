"""The layouts of LaPa, 300W-LP, COFW in 68 points, COCO-WholeBody and Halpe; and the data configs that read them."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from facelmk.datasets import CocoFaces, Cofw68Mat, CofwMat, LapaTxt, Mat300WLP
from facelmk.errors import DataDefect, MissingResource
from facelmk.markups import convert
from facelmk.registry import DATASETS

CONFIGS = Path(__file__).parents[3] / 'configs' / '_base_' / 'data'


def write_lapa(folder, rows, write, pictures='images'):
    (folder / 'landmarks').mkdir(parents=True)
    for i, row in enumerate(rows):
        write.picture(folder / pictures / f'{i}_0.jpg')
        lines = '\n'.join(f'{x} {y}' for x, y in row['points'].tolist())
        (folder / f'landmarks/{i}_0.txt').write_text(f'{len(row["points"])}\n{lines}\n')
    return folder


def scipy_io():
    return pytest.importorskip('scipy.io', reason='.mat files need scipy')


def write_300wlp(root, rows, write, views=2):
    """Photographs with two views each, mirrored ones in AFW_Flip; pt2d beside the picture, pts_2d in landmarks."""
    save = scipy_io().savemat
    for name in ('AFW', 'HELEN', 'IBUG', 'LFPW', 'AFW_Flip'):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / 'landmarks/AFW').mkdir(parents=True)
    for i, row in enumerate(rows):
        for view in range(views):
            for folder in ('AFW', 'AFW_Flip'):
                picture = write.picture(root / folder / f'AFW_{i}_1_{view}.jpg')
                save(picture.with_suffix('.mat'), {'pt2d': row['points'].T + view, 'roi': [[1, 2, 3, 4]]})
            save(root / f'landmarks/AFW/AFW_{i}_1_{view}_pts.mat', {'pts_2d': row['points'] + view + 10})
    (root / 'AFW' / 'stray.jpg').write_bytes(b'x')
    return root


# -- LaPa


def test_lapa_as_published_equals_the_json_of_mmpose(tmp_path, faces, write):
    rows = faces(3, 106)
    write_lapa(tmp_path / 'train', rows, write)
    data = LapaTxt('train/landmarks', tmp_path, 'train/images', check_pictures=True)
    for i, (face, row) in enumerate(zip(data.faces, rows, strict=True)):
        assert face['id'] == f'{i}_0.jpg' and np.array_equal(face['landmarks'], row['points'].astype(np.float32))
        assert face['box'] == pytest.approx([*row['points'].min(0), *row['points'].max(0)], abs=1e-4)
        row['name'] = f'train/images/{i}_0.jpg'
    boxes = [[*row['points'].min(0), *np.ptp(row['points'], 0)] for row in rows]
    file = write.json(tmp_path / 'lapa_train.json', rows, (), flag=2)
    content = json.loads(file.read_text())
    for annotation, box in zip(content['annotations'], boxes, strict=True):
        annotation['bbox'] = box
    file.write_text(json.dumps(content))
    for one, other in zip(data.faces, CocoFaces('lapa_train.json', tmp_path, markup='lapa').faces, strict=True):
        assert one['path'] == other['path'] and np.abs(one['box'] - other['box']).max() < 1e-4
        assert np.array_equal(one['landmarks'], other['landmarks'])


def test_defects_of_lapa_name_the_file(tmp_path, faces, write):
    write_lapa(tmp_path, faces(2, 106), write)
    (tmp_path / 'landmarks/1_0.txt').write_text('106\n1 2\n')
    with pytest.raises(DataDefect, match=r'1_0.txt: 2 numbers, 212 expected'):
        LapaTxt('landmarks', tmp_path, 'images')
    with pytest.raises(MissingResource, match='is no folder'):
        LapaTxt('none', tmp_path, 'images')


# -- 300W-LP


def test_300wlp_beside_the_pictures_and_in_the_folder_landmarks(tmp_path, faces, write):
    rows = faces(2, 68)
    write_300wlp(tmp_path, rows, write)
    beside, apart = Mat300WLP(data_root=tmp_path), Mat300WLP(data_root=tmp_path, points='pts_2d')
    assert [face['id'] for face in beside.faces] == [f'AFW/AFW_{i}_1_{view}.jpg' for i in (0, 1) for view in (0, 1)]
    assert [face['id'] for face in apart.faces] == [face['id'] for face in beside.faces]
    for i in range(4):
        expected = rows[i // 2]['points'] + i % 2
        assert beside.face(i)['landmarks'] == pytest.approx(expected, abs=1e-4)
        assert apart.face(i)['landmarks'] == pytest.approx(expected + 10, abs=1e-4)
        assert beside.face(i)['box'] == pytest.approx([*expected.min(0), *expected.max(0)], abs=1e-4)
    assert len(Mat300WLP(data_root=tmp_path, flipped=True)) == 8


def test_300wlp_is_split_by_photograph(tmp_path, faces, write):
    write_300wlp(tmp_path, faces(1, 68) * 100, write)
    parts = {
        part: {face['id'] for face in Mat300WLP(data_root=tmp_path, part=part, flipped=True, share=0.2).faces}
        for part in ('train', 'val', 'test')
    }
    assert sum(map(len, parts.values())) == len(set.union(*parts.values())) == 400
    seen = [{name.split('_')[-3] for name in names} for names in parts.values()]
    assert sum(map(len, seen)) == 100  # all views of a photograph, mirrored ones too, are in one part
    assert all(8 <= len(photographs) <= 32 for photographs in seen[1:])  # 20 expected, deviation 4
    assert parts['val'] != {face['id'] for face in Mat300WLP(data_root=tmp_path, part='val', share=0.2, seed=1).faces}


def test_defects_of_300wlp(tmp_path, faces, write):
    write_300wlp(tmp_path, faces(2, 68), write)
    (tmp_path / 'AFW/AFW_1_1_0.mat').write_bytes(b'no matlab')
    with pytest.raises(DataDefect, match='AFW_1_1_0.mat.* is no MATLAB file'):
        Mat300WLP(data_root=tmp_path)
    scipy_io().savemat(tmp_path / 'AFW/AFW_1_1_0.mat', {'pt2d': np.zeros((2, 21))})
    with pytest.raises(DataDefect, match='AFW_1_1_0.mat.*pt2d is 2x21, 68x2 expected'):
        Mat300WLP(data_root=tmp_path)
    with pytest.raises(MissingResource, match='none of AFW, HELEN'):
        Mat300WLP(data_root=tmp_path / 'nowhere')


def test_mat_files_without_scipy_say_what_to_install(tmp_path, faces, write, monkeypatch):
    write_300wlp(tmp_path, faces(1, 68), write)
    monkeypatch.setitem(sys.modules, 'scipy.io', None)
    with pytest.raises(MissingResource, match='pip install scipy') as error:
        Mat300WLP(data_root=tmp_path)
    assert error.value.exit_code == 3


# -- COFW in 68 points


def test_cofw68_reads_pictures_from_one_file_and_points_from_many(tmp_path, faces, write):
    rows, pictures = faces(12, 29), [np.full((3, 240, 240), i, np.uint8) for i in range(12)]
    write.mat(tmp_path / 'COFW_test_color.mat', rows, pictures, [[20, 20, 150, 150]] * 12)
    points = [row['points'] for row in faces(12, 68, seed=4)]
    folder = tmp_path / 'COFW68_Data/test_annotations'
    folder.mkdir(parents=True)
    for i, place in enumerate(points):
        scipy_io().savemat(folder / f'{i + 1}_points.mat', {'Points': place, 'Occ': np.arange(68)[None] % 2})
    data = Cofw68Mat(data_root=tmp_path, origin=1)
    plain = CofwMat('COFW_test_color.mat', tmp_path, markup='cofw', origin=1)
    assert len(data) == 12 and data.markup.name == '300w'
    for i in range(12):  # in the order of numbers: 10_points does not follow 1_points
        face = data.face(i)
        assert face['landmarks'] == pytest.approx(points[i] - 1, abs=1e-4) and face['visible'].min() == 1
        assert face['image'][0, 0, 0] == i and np.array_equal(face['box'], plain.face(i)['box'])
    (folder / '3_points.mat').unlink()
    with pytest.raises(DataDefect, match='3_points.mat: is not there'):
        Cofw68Mat(data_root=tmp_path)
    with pytest.raises(MissingResource, match='cofw68-benchmark'):
        Cofw68Mat(data_root=tmp_path, points='elsewhere')


# -- Halpe


def test_faces_of_halpe_are_part_of_its_bodies(tmp_path, faces):
    face, count = faces(1, 68)[0]['points'], 136
    keypoints = np.concatenate([np.full((26, 3), 7.0), np.c_[face, np.full(68, 2)], np.full((42, 3), 9.0)])
    hidden = keypoints.copy()
    hidden[26 : 26 + 35, 2] = 0
    images = [dict(id=5, file_name='a.jpg', width=640, height=480)]
    annotations = [
        dict(id=i, image_id=5, bbox=[0, 0, 300, 400], keypoints=points.ravel().tolist())
        for i, points in enumerate((keypoints, hidden))
    ]
    (tmp_path / 'a.json').write_text(json.dumps(dict(images=images, annotations=annotations)))
    data = CocoFaces('a.json', tmp_path, markup='300w', first=26)
    assert count == len(keypoints) and len(data) == 1  # most of the other face is not labelled
    assert np.array_equal(data.face(0)['landmarks'], face.astype(np.float32))
    low, high = np.floor(face.min(0)), np.ceil(face.max(0))
    assert data.face(0)['box'] == pytest.approx(
        [*((low + high - (high - low).max()) / 2), *((low + high + (high - low).max()) / 2)]
    )


# -- data configs


def built(name, phase, **roots):
    """The data set of a data config with MMPose's augmentation, and with other roots for its members."""
    dataset = Config.fromfile(CONFIGS / f'{name}.py')[f'{phase}_dataloader'].dataset
    pipelines = Config.fromfile(CONFIGS.parent / 'augment/mmpose.py')
    dataset.pipeline = pipelines.train_pipeline if phase == 'train' else pipelines.val_pipeline
    for member in dataset.get('datasets', [dataset]):
        part = member.get('dataset', member)
        key = 'root' if 'root' in part else 'data_root'
        part[key] = str(roots['root'] / Path(part[key]).name)
    return DATASETS.build(dataset)


def test_the_config_of_lapa_reads_both_layouts(tmp_path, faces, write):
    rows = faces(3, 106)
    for split, count in (('train', 3), ('val', 1), ('test', 2)):
        write_lapa(tmp_path / 'LaPa' / split, rows[:count], write)
    assert [len(built('lapa', phase, root=tmp_path)) for phase in ('train', 'val', 'test')] == [3, 1, 2]
    assert built('lapa', 'val', root=tmp_path)[0]['inputs'].shape == (3, 256, 256)
    (tmp_path / 'LaPa/annotations').mkdir()
    write.json(tmp_path / 'LaPa/annotations/lapa_test.json', rows)
    assert len(built('lapa', 'test', root=tmp_path)) == 3


@pytest.mark.parametrize('kind', ['json', 'mmpose', 'mat'])
def test_the_config_of_300wlp_reads_every_layout(kind, tmp_path, faces, write):
    root, rows = tmp_path / '300wlp', faces(60, 68)
    if kind == 'mat':
        write_300wlp(root, rows, write, views=1)
    else:
        (root / 'annotations').mkdir(parents=True)
        for split, part in (('train', rows), ('val', rows[:4]), ('test', rows[:5])):
            (root / split).mkdir()
            name = 'valid' if kind == 'mmpose' and split == 'val' else split
            write.json(root / f'annotations/face_landmarks_300wlp_{name}.json', part, ('bbox',))
    counts = [len(built('w300lp', phase, root=tmp_path)) for phase in ('train', 'val', 'test')]
    assert counts == [60, 4, 5] if kind != 'mat' else sum(counts) == 60


def test_the_config_of_coco_wholebody(tmp_path, faces, write):
    points = faces(1, 68)[0]['points']
    body = dict(
        id=1,
        image_id=5,
        iscrowd=0,
        keypoints=[1] * 51,
        face_box=[30, 40, 50, 60],
        face_valid=True,
        face_kpts=np.c_[points, np.ones(68)].ravel().tolist(),
    )
    (tmp_path / 'coco/annotations').mkdir(parents=True)
    for split in ('train', 'val'):
        write.picture(tmp_path / f'coco/{split}2017/5.jpg')
        (tmp_path / f'coco/annotations/coco_wholebody_{split}_v1.0.json').write_text(
            json.dumps(dict(images=[dict(id=5, file_name='5.jpg', width=640, height=480)], annotations=[body]))
        )
    for phase in ('train', 'val'):
        data = built('coco_wholebody_face', phase, root=tmp_path)
        assert len(data) == 1 and data[0]['inputs'].shape == (3, 256, 256)


def test_the_config_of_cofw68_trains_on_300w_and_tests_on_cofw():
    config = Config.fromfile(CONFIGS / 'cofw68.py')
    assert config.train_dataloader == Config.fromfile(CONFIGS / 'w300.py').train_dataloader
    (layout,) = config.val_dataloader.dataset.layouts
    assert (layout.type, layout.box, config.val_dataloader.dataset.markup) == ('Cofw68Mat', 'tight', '300w')


def lay_out_six(root, faces, write):
    """One picture or two of each set, in one of its layouts."""
    for split in ('train', 'val', 'test'):
        write_lapa(root / 'LaPa' / split, faces(2, 106), write)
    for name, size in (('wflw', 98), ('300w', 68)):
        (root / name / 'images').mkdir(parents=True)
        write.csv(root / name / f'face_landmarks_{name}_train.csv', faces(2, size, seed=size))
    for name, file, size in (('cofw', 'cofw_train.json', 29), ('coco', 'coco_wholebody_train_v1.0.json', 68)):
        (root / name / 'annotations').mkdir(parents=True)
        (root / name / ('images' if name == 'cofw' else 'train2017')).mkdir()
        write.json(root / name / 'annotations' / file, faces(2, size, seed=size), ('bbox',))


def test_face6_is_six_sets_in_the_points_of_lapa(tmp_path, faces, write, monkeypatch):
    lay_out_six(tmp_path, faces, write)
    messages = []
    monkeypatch.setattr('facelmk.datasets.joined.note', lambda text: messages.append(text))
    data = built('face6', 'train', root=tmp_path)
    assert [member.name for member in data.members] == [
        'LaPa_train',
        'LaPa_val',
        'coco_train',
        'wflw_train',
        '300w_train',
        'cofw_train',
    ]
    assert len(data) == 12 and len(messages) == 1 and 'halpe' in messages[0]
    assert len({data.face(i)['id'] for i in range(12)}) == 12
    seen = [int(data.face(i)['visible'].sum()) for i in range(0, 12, 2)]
    assert seen == [106, 106, 64, 98, 64, 29]
    row = faces(2, 98, seed=98)[1]['points'].astype(np.float32)
    assert np.array_equal(data.face(7)['landmarks'], convert(row, np.ones(98), 'wflw', 'lapa')[0])
    assert built('face6', 'val', root=tmp_path).split == 'test'
    (tmp_path / '300w/face_landmarks_300w_train.csv').unlink()
    with pytest.raises(MissingResource, match='300w'):  # only Halpe may be missing
        built('face6', 'train', root=tmp_path)
