"""--safe-config takes every config of ours, and nothing that could run code."""

import re
from pathlib import Path

import pytest

from facelmk.cli import main
from facelmk.config import config_folder, load_config, safe
from facelmk.config.safe import check_safe
from facelmk.errors import FacelmkError

PLAIN = (
    '"""A title."""\nside = 64\nmodel = dict(type="facelmk.FaceLandmarker", backbone=dict(type="QuickNet"), '
    'head=dict(type="RegressionHead"), codec=dict(type="Coordinates"), loss=dict(type="WingLoss"))\n'
    'model.update(flip_test=not True)\nmodel["mean"] = [side / 2 - 1 for _ in (1, 2, 3)]\ndel side\n'
)
CODE = {
    'import': 'import os',
    'from': 'from os import system',
    'call': 'x = open("canary", "w")',
    'builtin': '__import__("os").system("touch canary")',
    'builtin as a value': 'model["type"] = open',
    'dunder': 'x = ().__class__',
    'lambda': 'x = (lambda: 1)()',
    'def': 'def f():\n    pass',
    'class': 'class A: pass',
    'for': 'for i in [1]: pass',
    'while': 'while True: pass',
    'with': 'with open("canary", "w") as f: pass',
    'try': 'try:\n    x = 1\nexcept ValueError:\n    x = 2',
    'method': 'x = "".join(["a"])',
    'method as a value': 'model["type"] = model.update',
    'eval': 'eval("1")',
    'custom imports': 'custom_imports = dict(imports=["canary"])',
    'put in': 'x = "{{$NOTHING:1}}"',
    'hidden in a default': 'x = {{$NOTHING:open("canary", "w")}}',
    'walrus': '(open := 3)',
    'star': 'dict = open',
    'a part of another package': 'model["backbone"]["type"] = "subprocess.Popen"',
    'a part that is a function': 'model["backbone"]["type"] = "mmengine.dump"',
    'an average of another package': 'custom_hooks = [dict(type="EMAHook", ema_type="canary.Average")]',
    'a constructor of another package': 'optim_wrapper = dict(constructor="canary.Make", optimizer=dict(type="SGD"))',
    'another scope': 'default_scope = "canary"',
    'another scope of a part': 'model["_scope_"] = "canary"',
    'base elsewhere': '_base_ = "mmpose::canary.py"',
    'base of the network': '_base_ = "http://localhost/canary.py"',
    'base worked out': '_base_ = "a" + ".py"',
}


@pytest.mark.parametrize('path', sorted(config_folder().rglob('*.py')), ids=lambda path: path.stem)
def test_our_configs_are_data(path: Path) -> None:
    check_safe(path)


def test_a_plain_config_is_read(tmp_path: Path) -> None:
    (tmp_path / 'my.py').write_text(PLAIN)
    config = load_config(tmp_path / 'my.py', safe=True)
    assert config.model.mean == [31.0] * 3 and config.model.flip_test is False


@pytest.mark.parametrize('line', CODE.values(), ids=list(CODE))
def test_code_is_refused_by_file_and_line(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'canary.py').write_text('open("canary", "w")')
    (tmp_path / 'my.py').write_text(PLAIN + line + '\n')
    assert main(['config', 'show', 'my.py', '--safe-config']) == 2
    told = capsys.readouterr().err
    assert not (tmp_path / 'canary').exists()
    place = f'my.py:{PLAIN.count(chr(10)) + 1}: '
    assert place in told or re.search(r'my\.py: (model|default_scope|custom_hooks|optim_wrapper)', told), told


def test_both_configs_of_a_comparison_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'my.py').write_text(PLAIN + 'open("canary", "w")\n')
    for pair in (('my.py', 'quickstart'), ('quickstart', 'my.py')):
        assert main(['config', 'diff', *pair, '--safe-config']) == 2
    assert not (tmp_path / 'canary').exists()


@pytest.mark.parametrize(
    'line',
    [
        'x = 9 ** 9 ** 9',
        'x = "a" * 10 ** 10',
        'x = [0] * 10 ** 10',
        'x = "%10000000000s" % 1',
        'x = 1 << 10 ** 11',
        'x = [1]\n' + 'x = [x, x]\n' * 40,
    ],
)
def test_what_would_fill_the_machine_is_refused(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe, 'SECONDS', 1)
    monkeypatch.setattr(safe, 'MEMORY', 2**27)
    (tmp_path / 'my.py').write_text(PLAIN + line + '\n')
    with pytest.raises(FacelmkError, match=r'my\.py: reading it takes more than'):
        load_config(tmp_path / 'my.py', safe=True)


def test_a_yaml_of_lists_of_lists_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe, 'SECONDS', 1)
    rows = [f'{b}: &{b} [{", ".join([f"*{a}"] * 9)}]' for a, b in zip('abcdefgh', 'bcdefghi', strict=True)]
    (tmp_path / 'my.yaml').write_text('\n'.join(['a: &a [1]', *rows, 'model: {type: facelmk.FaceLandmarker}']))
    with pytest.raises(FacelmkError, match=r'my\.yaml: reading it takes more than'):
        load_config(tmp_path / 'my.yaml', safe=True)


@pytest.mark.parametrize(
    'based',
    ['_base_ = ["base.py"]\n', 'from mmengine.config import read_base\nwith read_base():\n    from .base import *\n'],
)
def test_bases_are_looked_at_too(based: str, tmp_path: Path) -> None:
    (tmp_path / 'base.py').write_text('x = 1\nopen("canary", "w")\n')
    (tmp_path / 'my.py').write_text(based + PLAIN)
    with pytest.raises(FacelmkError, match=r'base\.py:2: a call of open'):
        load_config(tmp_path / 'my.py', safe=True)


@pytest.mark.parametrize('safe', [True, False])
def test_a_tag_of_yaml_runs_nothing(safe: bool, tmp_path: Path) -> None:
    canary = tmp_path / 'canary'
    (tmp_path / 'my.yaml').write_text(f'work_dir: !!python/object/apply:os.system ["touch {canary}"]\n')
    with pytest.raises(FacelmkError, match=r'my\.yaml'):
        load_config(tmp_path / 'my.yaml', safe=safe)
    assert not canary.exists()
