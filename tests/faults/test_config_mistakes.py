"""Mistakes in configs and on the command line: exit code 2, with the place and a similar name (cases J)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from facelmk.cli import main

CONFIG = """
crop = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
train_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=4, seed=9, size=64, pipeline=crop))
val_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=3, size=64, pipeline=crop))
val_evaluator = [dict(type='NME')]
model = dict(type='facelmk.FaceLandmarker', backbone=dict(type='QuickNet'), head=dict(type='RegressionHead'),
             codec=dict(type='Coordinates'), loss=dict(type='WingLoss'))
optim_wrapper = dict(optimizer=dict(type='Adam', lr=.001))
train_cfg = dict(by_epoch=True, max_epochs=1)
"""
Refused = Callable[..., str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(here: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Write my.py and run a command that must end with exit code 2; return what it prints to the error stream."""

    def run(text: str, *words: str, name: str = 'my.py') -> str:
        (here / name).write_text(text)
        (here / 'x.pth').touch()  # a missing checkpoint would be reported first
        try:
            code = main(list(words) or ['config', 'show', name])
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        assert code == 2 and 'Traceback' not in printed.err, printed
        return printed.err

    return run


LINES = [  # case of the fault table, a line that is added, facts in the message
    ('J01', 'modle = dict()', ["'model'"]),
    ('J01', 'model["backbone"]["widht"] = 3', ["'width'", 'model.backbone']),
    ('J02', 'model["backbone"]["type"] = "QuickNett"', ["'QuickNet'"]),
    ('J02', 'val_evaluator[0]["type"] = "NMR"', ["'NME'"]),
    ('J03', 'model["loss"]["type"] = "WimgLos"', ["'WingLoss'"]),
    ('J03', 'optim_wrapper["optimizer"]["type"] = "Adan_"', ["'Adam'"]),
    ('J04', 'optim_wrapper["optimizer"]["lr"] = "abc"', ['lr', "'abc'", 'number']),
    ('J04', 'train_cfg["max_epochs"] = "ten"', ['max_epochs', "'ten'", 'number']),
    ('J04', 'crop[1]["size"] = None', ['size=None', 'number']),
    ('J04', 'train_dataloader["batch_size"] = [2]', ['batch_size=[2]', 'number']),
    ('J10', 'total_epochs = 3', ['total_epochs', 'train_cfg.max_epochs']),
    ('J11', 'val_dataloader["dataset"]["markup"] = "300w"', ['98 points', '68 points']),
    ('J16', 'import nosuchmodule', ['nosuchmodule', 'PYTHONPATH']),
    ('J16', 'custom_imports = dict(imports=["nosuchmodule"])', ['nosuchmodule', 'PYTHONPATH']),
]
CASES = [pytest.param(line, facts, id=line, marks=pytest.mark.fault(case)) for case, line, facts in LINES]


@pytest.mark.parametrize(('line', 'facts'), CASES)
def test_a_line(line: str, facts: list[str], refused: Refused) -> None:
    message = refused(CONFIG + line + '\n')
    assert 'my.py' in message and all(word in message for word in facts), message


OPTIONS = [
    ('J04', ['train', 'my.py', '--cfg-options', 'train_cfg.max_epochs=ten'], ['max_epochs', 'ten', 'number']),
    ('J04', ['train', 'my.py', '--cfg-options', 'optim_wrapper.optimizer.lr=-1.0'], ['Adam', 'lr=-1.0']),
    ('J04', ['train', 'my.py', '--cfg-options', 'optim_wrapper=None'], ['my.py', 'optim_wrapper']),
    ('J08', ['train', 'my.py', '--cfg-options', 'modle.flip_test=True'], ["'model'"]),
    ('J08', ['train', 'my.py', '--cfg-options', 'model.bakbone.width=3'], ["'backbone'"]),
    ('J08', ['test', 'my.py', 'x.pth', '--cfg-options', 'model.backbone.widht=3'], ["'width'"]),
    ('J09', ['train', 'my.py', '--cfg-options', 'val_evaluator.4.norm=box_side'], ['4', 'below 1']),
    ('J10', ['train', 'my.py', '--resume-from', 'x.pth'], ['--resume CHECKPOINT']),
    ('J10', ['train', 'my.py', '--seed', '3'], ['randomness.seed']),
    ('J12', ['train', 'my.py', '--work-dir', 'my.py'], ['my.py', 'is a file', '--work-dir']),
    ('J12', ['train', 'my.py', '--work-dir', 'my.py/below'], ['is a file', '--work-dir']),
    ('J13', ['trian', 'my.py'], ["'train'", 'predict']),
    ('J13', ['--work-dir', 'x', 'train', 'my.py'], ['--work-dir', 'facelmk train']),
    ('J13', ['--resume', 'train', 'my.py'], ['--resume', 'before the verb']),
    ('J14', ['train', 'my.py', '--cfg-options', 'model.mean=[1,2'], ['model.mean=[1,2', 'brackets']),
    ('J14', ['train', 'my.py', '--cfg-options', 'model.loss={"type":'], ['model.loss', 'one by one']),
    ('J14', ['train', 'my.py', '--work-dirs', 'x', '--cfg-options', 'a=1'], ['--work-dir']),
]


@pytest.mark.parametrize(
    ('words', 'facts'),
    [pytest.param(words, facts, id=' '.join(words), marks=pytest.mark.fault(case)) for case, words, facts in OPTIONS],
)
def test_a_command(words: list[str], facts: list[str], refused: Refused) -> None:
    message = refused(CONFIG, *words)
    assert all(word in message for word in facts), message


def test_there_are_at_least_twenty_mistakes() -> None:
    assert len(LINES) + len(OPTIONS) >= 20


@pytest.mark.fault('J05')
def test_a_missing_base_is_reported_with_the_file_that_names_it(here: Path, refused: Refused) -> None:
    (here / 'middle.py').write_text('_base_ = "gone.py"\n')
    message = refused('_base_ = "middle.py"\n')
    assert 'middle.py:1' in message and 'gone.py' in message
    message = refused('from mmengine.config import read_base\nwith read_base():\n    from .gone import *\n')
    assert 'my.py:3' in message and 'gone.py' in message


@pytest.mark.fault('J06')
@pytest.mark.parametrize(
    'text', ['_base_ = "{}.py"\n', 'from mmengine.config import read_base\nwith read_base():\n    from .{} import *\n']
)
def test_a_circle(text: str, here: Path, refused: Refused) -> None:
    (here / 'other.py').write_text(text.format('my'))
    message = refused(text.format('other'))
    assert f'{here}/my.py -> {here}/other.py -> {here}/my.py' in message


@pytest.mark.fault('J07')
def test_one_key_in_two_bases(here: Path, refused: Refused) -> None:
    (here / 'one.py').write_text('work_dir = "a"\n')
    (here / 'two.py').write_text('work_dir = "b"\n')
    message = refused('_base_ = ["one.py", "two.py"]\n')
    assert "'work_dir'" in message and 'one.py' in message and 'two.py' in message


@pytest.mark.fault('J09')
def test_an_element_of_a_list_is_changed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / 'my.py').write_text(CONFIG)
    assert main(['config', 'show', 'my.py', '--cfg-options', 'val_evaluator.0.norm=box_side']) == 0
    shown: dict = {}
    exec(capsys.readouterr().out, shown)
    assert shown['val_evaluator'] == [{'type': 'NME', 'norm': 'box_side'}]


@pytest.mark.fault('J15')
def test_an_empty_config(refused: Refused) -> None:
    message = refused('')
    assert 'my.py' in message and 'train_dataloader' in message and 'quickstart' in message


@pytest.mark.fault('J17')
def test_another_suffix(refused: Refused) -> None:
    message = refused(CONFIG, name='my.cfg')
    assert 'my.cfg' in message and '.yaml' in message


@pytest.mark.fault('J18')
def test_delete_replaces_the_whole_part(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / 'base.py').write_text(CONFIG)
    (here / 'my.py').write_text(
        '_base_ = "base.py"\nmodel = dict(backbone=dict(_delete_=True, type="ResNet", depth=18))\n'
    )
    assert main(['config', 'show', 'my.py']) == 0
    shown: dict = {}
    exec(capsys.readouterr().out, shown)
    assert shown['model']['backbone'] == {'type': 'ResNet', 'depth': 18}
    assert shown['model']['loss'] == {'type': 'WingLoss'}
