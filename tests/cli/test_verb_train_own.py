"""facelmk train --data DIR|FILE: three commands from a folder to a trained model, its table and its report."""

import json

import cv2
import pytest
from annotation_tools import labelled, write_labelme

from facelmk.datasets import SyntheticFaces

QUICK = ['--cfg-options', 'train_cfg.max_epochs=1', 'train_dataloader.dataset.times=1']


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """A folder of labelme's files in the current folder."""
    monkeypatch.chdir(tmp_path)
    data = SyntheticFaces('300w', count=6, seed=6, size=128)
    rows = [{'name': f'{i}.png', 'points': data.face(i)['landmarks']} for i in range(6)]
    folder = write_labelme(tmp_path / 'faces', labelled(rows))
    for i in range(6):
        cv2.imwrite(str(folder / f'{i}.png'), data.face(i)['image'])
    return 'faces'


def test_three_commands(verb, faces, tmp_path):
    printed = verb('train', '--data', faces, *QUICK)
    work = tmp_path / 'work_dirs/faces'
    assert 'mmengine - INFO' not in printed and '\ntrain faces on ' in printed  # the config is called config.py
    for beginning in (
        'format:',
        'points:',
        'split:',
        'boxes:',
        'model:',
        'before training: NME',
        'after training: NME',
        'next:',
    ):
        assert sum(line.startswith(beginning) for line in printed.splitlines()) == 1, beginning
    (test,) = (line.split() for line in printed.splitlines() if line.startswith('  facelmk test'))
    (predict,) = (line.split() for line in printed.splitlines() if line.startswith('  facelmk predict'))
    (calibrate,) = (line.split() for line in printed.splitlines() if line.startswith('  facelmk calibrate'))
    verb(*calibrate[1:])
    verb('predict', 'faces/0.png', '--model', calibrate[6], '--boxes', 'full', '--out', 'scored.json')
    ((scored,),) = (row['faces'] for row in json.loads((tmp_path / 'scored.json').read_text()))
    assert 0 <= scored['score'] <= 1 and len(scored['errors']) == 68
    table = verb(*test[1:])
    assert 'NME' in table and (work / 'report/index.html').is_file()
    verb(*predict[1:2], 'faces/0.png', *predict[3:], '--boxes', 'full', '--out', 'found.json')
    ((face,),) = (row['faces'] for row in json.loads((tmp_path / 'found.json').read_text()))
    assert len(face['landmarks']) == 68
    assert 'nothing is left to train' in verb('train', '--data', faces, '--resume', *QUICK)


@pytest.mark.parametrize(
    ('words', 'code', 'text'),
    [
        ([], 2, '--data DIR|FILE'),
        (['.'], 2, 'facelmk train --data .'),
        (['--data', 'nowhere'], 3, 'nowhere is not there'),
        (['--data', '.', '--model', 'facelmk_nona'], 2, "'facelmk_nano'"),
        (['--data', '.', '--model', 'none.pth'], 3, 'none.pth'),
        (['quickstart', '--markup', '300w'], 2, '--markup belongs to'),
        (['quickstart', '--flip-pairs', '0:1'], 2, '--flip-pairs belongs to'),
    ],
)
def test_what_does_not_belong_together_is_refused(words, code, text, verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert text in verb('train', *words, code=code)
    assert list(tmp_path.iterdir()) == []
