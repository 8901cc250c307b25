"""From annotations of one's own to a config: the split, the boxes, the weights to start from."""

import ast
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from annotation_tools import labelled, write_labelme
from mmengine import Config

from facelmk.checkpoint import load_checkpoint
from facelmk.config import config_of_text, load_config
from facelmk.datasets import SyntheticFaces
from facelmk.datasets.base import pipeline_of
from facelmk.errors import DataDefect, FacelmkError, MissingResource
from facelmk.markups import MAPS, MARKUPS
from facelmk.own_data.prepare import prepare
from facelmk.own_data.recipe import CONFIG, START, recipe, write_config
from facelmk.own_data.start import open_model
from facelmk.own_data.write import write_training
from facelmk.registry import MODELS

NAMES = ['left_eye', 'right_eye', 'nose', 'left_mouth', 'right_mouth']
COUNT = 8


@pytest.fixture(scope='session')
def drawn():
    """Drawn faces of 68 points, with their pictures."""
    data = SyntheticFaces('300w', count=COUNT, seed=6, size=160)
    return [data.face(i) for i in range(COUNT)]


@pytest.fixture
def folder(drawn, tmp_path):
    """Writes the pictures and the json files of labelme; `points` chooses the labelled points of a face."""

    def write(points=None, name='my faces', count=COUNT):
        rows = []
        for i, face in enumerate(drawn[:count]):
            path = tmp_path / name / f'{i}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), face['image'])
            rows.append({'name': f'{i}.png', 'points': face['landmarks']})
        made = labelled(rows) if points is None else [{**row, 'points': points(row['points'])} for row in rows]
        return write_labelme(tmp_path / name, made)

    return write


def five(points):
    """Five named points of 68."""
    return dict(zip(NAMES, MARKUPS['300w'].five_points(points).tolist(), strict=True))


def images_of(file: Path) -> list[str]:
    return [image['file_name'] for image in json.loads(file.read_text())['images']]


def test_a_second_run_makes_the_same_split(folder, tmp_path):
    source = folder()
    first = prepare(source, tmp_path / 'w')
    assert [len(first.faces[part]) for part in ('train', 'val')] == [6, 2]
    names = {part: images_of(tmp_path / f'w/{part}.json') for part in ('train', 'val')}
    assert not set(names['train']) & set(names['val']) and len(names['train']) + len(names['val']) == COUNT
    second = prepare(source, tmp_path / 'w')
    assert {part: images_of(second.files[part]) for part in ('train', 'val')} == names
    assert any('as before' in line for line in second.lines)


def test_parts_of_the_folders_are_kept(folder, tmp_path):
    source = folder()
    for part, numbers in {'train': range(5), 'val': range(5, 7), 'test': [7]}.items():
        (source / part).mkdir()
        for i in numbers:
            for ending in ('png', 'json'):
                (source / f'{i}.{ending}').rename(source / part / f'{i}.{ending}')
    data = prepare(source, tmp_path / 'w')
    assert {part: len(faces) for part, faces in data.faces.items()} == {'train': 5, 'val': 2, 'test': 1}
    assert images_of(data.files['test']) == ['test/7.png']


def test_what_is_found_is_said_in_one_line_each(folder, tmp_path):
    source = folder()
    (source / '0.png').write_bytes((source / '0.png').read_bytes()[:9])
    (source / '1.json').write_text('{"shapes": ')
    data = prepare(source, tmp_path / 'w')
    start = [line.partition(':')[0] for line in data.lines]
    assert start == ['format', 'points', 'left out', 'left out', 'split', 'boxes']
    assert '6 faces' in data.lines[0] and '300w' in data.lines[1] and '1.json' in data.lines[2]


def test_too_few_faces_and_missing_pictures_are_errors(folder, tmp_path):
    with pytest.raises(DataDefect, match='3 pictures with faces. Expected at least 5'):
        prepare(folder(count=3), tmp_path / 'w')
    source = folder(name='without')
    for picture in source.glob('*.png'):
        picture.unlink()
    with pytest.raises(DataDefect, match='none of its 8 pictures can be read.*--image-root'):
        prepare(source, tmp_path / 'w')
    with pytest.raises(MissingResource, match='is not there'):
        prepare(tmp_path / 'nowhere', tmp_path / 'w')
    with pytest.raises(FacelmkError, match='Write --markup 300w'):
        prepare(folder(), tmp_path / 'w', markup='wflw')


def test_known_points_start_from_the_output_of_the_model(folder, tmp_path):
    lines = []
    config = load_config(write_training(folder(), tmp_path / 'w', 'facelmk_nano', say=lines.append))
    assert config.model.markup == '300w' and 'markups' not in config and 'calibration' not in config.model
    new = MODELS.build(config.model)
    load_checkpoint(new, tmp_path / 'w' / START)
    old = open_model('facelmk_nano').landmarker
    rows = [next(iter(weights)) for weights in MAPS['wflw_300w', '300w'].values()]
    image = torch.rand(1, 3, 112, 112)
    with torch.no_grad():
        assert torch.equal(new.eval()(image)[-1], old(image)[-1][:, rows])


def test_points_of_ones_own_start_from_the_nearest_landmarks(folder, tmp_path, monkeypatch):
    """The config describes the points, so it is all that a later run needs."""
    file = write_training(
        folder(lambda points: five(points) | {'chin': points[8].tolist()}), tmp_path / 'w', 'facelmk_nano', say=len
    )
    text = file.read_text()
    monkeypatch.delitem(MARKUPS, 'my_faces_6')
    config = config_of_text(text, file)
    scheme = MARKUPS['my_faces_6']
    assert (
        scheme.names == (*NAMES, 'chin')
        and scheme.pairs == ((0, 1), (3, 4))
        and config.val_evaluator[0].norm == 'inter_pupil'
    )
    assert file.name == CONFIG and config.train_dataloader.dataset.dataset.markup == 'my_faces_6'
    network = MODELS.build(config.model)
    load_checkpoint(network, tmp_path / 'w' / START)
    old = open_model('facelmk_nano').landmarker.head.final_layer.bias
    assert network.head.final_layer.bias[5] in old[[16, 98 + 8]]  # the chin, of either scheme


def test_without_pairs_no_face_is_mirrored(folder, tmp_path):
    lines = []
    source = folder(lambda points: {'top': points[27].tolist(), 'tip': points[30].tolist(), 'chin': points[8].tolist()})
    config = load_config(write_training(source, tmp_path / 'w', 'facelmk_nano', say=lines.append))
    crops = [step for step in config.train_dataloader.dataset.pipeline if step.type == 'CropFace']
    assert [crop.flip for crop in crops] == [0] and any('no face is mirrored' in line for line in lines)
    assert config.val_evaluator[0].norm == 'box_side'


def test_boxes_of_points_that_do_not_outline_the_face_are_the_detectors(folder, tmp_path, drawn):
    data = prepare(folder(five), tmp_path / 'w')
    assert 'face detector' in data.lines[-1]
    for face in (face for part in data.faces.values() for face in part):
        own = drawn[int(Path(face['path']).stem)]['landmarks']
        side = np.ptp(own, 0).max()
        assert 0.7 * side < np.ptp(face['box'].reshape(2, 2), 0).max() < 1.6 * side  # that of the whole face


def test_the_folder_of_the_annotations_is_no_work_folder(folder):
    source = folder(five)
    before = {file: file.read_bytes() for file in source.iterdir()}
    with pytest.raises(FacelmkError, match='--work-dir'):
        prepare(source, source)
    assert {file: file.read_bytes() for file in source.iterdir()} == before


def test_a_missing_picture_does_not_change_the_names_of_the_others(folder, tmp_path):
    source = folder(five)
    file = source / '0.json'
    file.write_text(json.dumps(json.loads(file.read_text()) | {'imagePath': '/home/anna/gone.png'}))
    data = prepare(source, tmp_path / 'run')
    assert data.image_root == source and images_of(data.files['val'])[0].count('/') == 0


def test_a_title_may_hold_any_letters(tmp_path):
    title = 'C:\\Users\\x "my" \'faces\' \\N'
    write_config({'a': 1}, title, tmp_path / CONFIG)
    assert ast.get_docstring(ast.parse((tmp_path / CONFIG).read_text()), clean=False) == title


def test_mirror_pairs_of_a_known_scheme_are_refused(folder, tmp_path):
    with pytest.raises(FacelmkError, match='300w has its own mirror pairs'):
        prepare(folder(), tmp_path / 'run', markup='300w', flip_pairs='0:1')


def test_origin_of_own_pts_is_an_option(drawn, tmp_path):
    (tmp_path / 'pts').mkdir()
    for i, face in enumerate(drawn):
        cv2.imwrite(str(tmp_path / f'pts/{i}.png'), face['image'])
        points = '\n'.join(f'{x + 1:.4f} {y + 1:.4f}' for x, y in face['landmarks'])  # this tool counts from 1
        (tmp_path / f'pts/{i}.pts').write_text(f'version: 1\nn_points: 68\n{{\n{points}\n}}\n')
    shifts = {}
    for origin in (None, 0, 1):
        data = prepare(tmp_path / 'pts', tmp_path / f'w{origin}', origin=origin)
        first = next(face for part in data.faces.values() for face in part if face['path'].endswith('/0.png'))
        shifts[origin] = float((first['landmarks'] - drawn[0]['landmarks']).mean())
        assert f'the first pixel is {origin or 0}' in data.lines[0]
        assert ('--origin 1' in data.lines[0]) == (origin != 1)  # says what to do
    assert shifts == pytest.approx({None: 1, 0: 1, 1: 0}, abs=1e-3)


@pytest.mark.parametrize('left', ['val_dataloader', 'test_dataloader'])
def test_a_model_without_training_data_trains_on_its_plain_crop(folder, tmp_path, left):
    """A checkpoint for prediction may name neither how it was trained nor all of its data sets."""
    base = open_model('facelmk_nano').config
    crop = base.val_dataloader.dataset
    steps = [dict(step) for step in pipeline_of(crop)]
    alone = Config({'model': base.model.to_dict(), left: {'dataset': dict(crop)}})
    data = prepare(folder(), tmp_path / 'w')
    values = recipe(data, base.model.to_dict(), alone, tmp_path / 'w')
    assert values['val_pipeline'] == steps and any(step['type'] == 'CropFace' for step in steps)
    assert [step['type'] for step in values['train_pipeline']] == [step['type'] for step in steps]
