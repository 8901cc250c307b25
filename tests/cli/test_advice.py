"""The advice of an error belongs to the command that failed."""

import json

import cv2
import numpy as np
import pytest

from facelmk.config import load_config
from facelmk.datasets import SyntheticFaces
from facelmk.errors import FacelmkError
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
