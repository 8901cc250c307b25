"""The advice of an error belongs to the command that failed."""

import json
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from facelmk.config import load_config
from facelmk.datasets import SyntheticFaces
from facelmk.datasets.tools.writers import FORMATS
from facelmk.datasets.xml_names import xml_name
from facelmk.errors import DataDefect, FacelmkError
from facelmk.markups import MARKUPS
from facelmk.own_data.prepare import prepare


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with a picture, a file that is no text, and one without figures."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite('p.png', np.zeros((40, 40, 3), np.uint8))
    (tmp_path / 'noise.json').write_bytes(b'\x89PNG\x00\xff')
    (tmp_path / 'list.json').write_text('[]')
    return tmp_path


@pytest.mark.parametrize(
    ('command', 'code', 'advice'),
    [
        ('compare none.json none.json', 3, 'metrics.json of a test'),
        ('compare list.json list.json', 4, 'facelmk test'),
        ('plot logs none.json', 3, 'scalars.json'),
        ('plot logs noise.json', 4, 'noise.json'),
        ('predict p.png --boxes none.json', 3, '--boxes FILE'),
        ('predict p.png --model quickstart', 3, '--weights'),
        ('train --data . --model quickstart', 3, 'facelmk models list'),
        ('data check none.json', 3, 'annotations'),
    ],
)
def test_advice_of_a_command(verb, here, command, code, advice):
    error = verb(*command.split(), code=code)
    assert advice in error and 'image_root of the data set' not in error and 'Traceback' not in error


def test_the_files_of_a_training_on_own_data_find_their_pictures(verb, here):
    data = SyntheticFaces('300w', count=5, seed=6, size=96)
    for folder in ('deep/faces', 'elsewhere'):
        (here / folder).mkdir(parents=True)
    for i in range(5):
        cv2.imwrite(f'deep/faces/{i}.png', data.face(i)['image'])
        points = '\n'.join(f'{x} {y}' for x, y in data.face(i)['landmarks'])
        (here / f'deep/faces/{i}.pts').write_text(f'version: 1\nn_points: 68\n{{\n{points}\n}}\n')
    prepare('deep/faces', here / 'work/run')
    for source in ('work/run', 'work/run/train.json'):
        verb('data', 'browse', source, '--out', 'page.html')
    assert 'no defect' in verb('data', 'check', 'work/run/val.json')
    content = json.loads((here / 'work/run/val.json').read_text())
    (here / 'elsewhere/val.json').write_text(json.dumps(content | {'info': {'image_root': 5}}))  # the file names none
    assert '--image-root' in verb('data', 'browse', 'elsewhere/val.json', '--out', 'page.html', code=3)


@pytest.mark.parametrize(
    ('option', 'facts'),
    [
        ('val_evaluator.type=NMEE', ('val_evaluator.0.type', '0: NME')),
        ('val_evaluator.one.type=NME', ("'one' must be a number below 3",)),
        ('train_pipeline.size=3', ('train_pipeline.1.size', '1: CropFace')),
        ('val_evaluator.0.type=NMEE', ("Did you mean 'NME'",)),
        ('train_dataloader.batch_size=-1', ('from 1',)),
        ('optim_wrapper.optimizer.lr=-1', ('above 0',)),
        ('model.backbone.depth=17', ("'depths'",)),
        ('model.backbone=3', ('Expected a dict',)),
    ],
)
def test_a_wrong_value_of_an_option_is_blamed_on_the_option(option, facts):
    key, _, value = option.partition('=')
    with pytest.raises(FacelmkError) as caught:
        load_config('quickstart', {key: int(value) if value.lstrip('-').isdigit() else value})
    message = str(caught.value)
    assert message.startswith(f'--cfg-options {key}: ') and '_base_' not in message
    assert all(fact in message for fact in facts)


def test_a_wrong_value_of_a_file_is_blamed_on_the_file(here):
    (here / 'mine.py').write_text("_base_ = 'facelmk::quickstart.py'\nval_dataloader = dict(batch_size=-1)\n")
    with pytest.raises(FacelmkError, match='^mine.py: val_dataloader has'):
        load_config('mine.py', {'train_dataloader.batch_size': 4})


@pytest.mark.parametrize(
    ('command', 'near'),
    [
        ('data convert faces.json --to cco --out x', 'coco'),
        ('data chek faces.json', 'check'),
        ('train quickstart --launcher slrum', 'slurm'),
        ('models lst', 'list'),
        ('completion bsh', 'bash'),
    ],
)
def test_a_wrong_choice_gets_the_near_names(verb, command, near):
    error = verb(*command.split(), code=2)
    assert 'invalid choice' in error and f"Did you mean '{near}'" in error


@pytest.mark.parametrize('name', ['a\x01b.png', 'a\udcff.png', 'a\ufffe.png'])
def test_a_name_that_xml_cannot_hold_is_refused_in_a_sentence(name):
    with pytest.raises(DataDefect, match='XML cannot hold'):
        xml_name(name)
    for fine in ('a\tb.png', 'ö 脸 😀.png', 'a&<">.png'):
        assert xml_name(fine) == fine


def test_the_forms_of_predict_lose_nothing_by_such_a_name(verb, here):
    picture = (here / 'p.png').read_bytes()
    (here / 'pictures').mkdir()
    for name in ('a\x01b.png', 'ok.png'):
        (here / 'pictures' / name).write_bytes(picture)
    words = ('predict', 'pictures', '--boxes', 'full', '--out')
    assert 'XML cannot hold' in verb(*words, 'found.xml', code=4)
    assert [image.get('name') for image in ElementTree.parse('found.xml').iter('image')] == ['pictures/ok.png']
    (here / 'pictures/b\udcff.png').write_bytes(picture)
    verb(*words, 'found.csv')
    assert len((here / 'found.csv').read_text().splitlines()) == 4
    verb(*words, 'found.json')
    assert len(json.loads((here / 'found.json').read_text())) == 3


@pytest.mark.parametrize('form', ['cvat', 'dlib'])
def test_no_writer_of_a_data_set_makes_broken_xml(here, form):
    face = SyntheticFaces('300w', count=1, size=64).face(0) | {'name': 'a\x01.png', 'path': 'p.png'}
    with pytest.raises(DataDefect, match='XML cannot hold'):
        FORMATS[form].write([face], here / 'x.xml', (), 'none', MARKUPS['300w'])
    assert not (here / 'x.xml').exists()
