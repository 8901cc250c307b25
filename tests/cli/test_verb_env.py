"""facelmk env, and what all verbs share"""

import contextlib
import importlib
import io
import json
import runpy
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from facelmk.cli import VERBS, env, main

ROOT = Path(__file__).parents[2]


def test_env_of_this_machine(verb, monkeypatch) -> None:
    monkeypatch.setattr(env, 'OPTIONAL', ())
    told = json.loads(verb('env', '--json'))
    assert told['problems'] == []
    assert told['machine']['python'] == '.'.join(map(str, sys.version_info[:3]))
    assert told['packages']['torch'] == metadata.version('torch')
    assert told['torch']['version'].partition('+')[0] == metadata.version('torch').partition('+')[0]
    text = verb('env')
    assert text.splitlines()[-1] == 'no problem found' and 'mmengine' in text


def test_a_missing_and_an_old_package_are_named_with_the_mending_line(verb, monkeypatch) -> None:
    monkeypatch.setattr(env, 'requirements', lambda: [Requirement('no-such-thing>=1'), Requirement('numpy>=99')])
    text = verb_with_problems(verb)
    assert 'no-such-thing is not installed: pip install "no-such-thing>=1"' in text
    assert f'numpy {metadata.version("numpy")} is there, >=99 is needed: pip install "numpy>=99"' in text


def test_opencv_without_libgl(verb, monkeypatch) -> None:
    def fail(name: str):
        raise ImportError('libGL.so.1: cannot open shared object file')

    monkeypatch.setattr(env, 'requirements', lambda: [Requirement('opencv-python')])
    monkeypatch.setattr(env.importlib, 'import_module', fail)
    problems: list[str] = []
    env._package(Requirement('opencv-python'), problems)
    assert len(problems) == 1 and 'apt-get install -y libgl1 libglib2.0-0' in problems[0]


def test_two_opencvs(monkeypatch) -> None:
    monkeypatch.setattr(env, '_version', lambda name: '4.11.0' if name.startswith('opencv') else None)
    problems: list[str] = []
    env._package(Requirement('opencv-python'), problems)
    assert 'overwrite each other' in problems[0]


def test_stand_ins_count(monkeypatch) -> None:
    monkeypatch.setattr(env, '_version', lambda name: '4.11.0' if name == 'opencv-python-headless' else None)
    problems: list[str] = []
    assert env._package(Requirement('opencv-python>=4.8'), problems) == '4.11.0 (opencv-python-headless)'
    assert problems == []


def verb_with_problems(verb) -> str:
    """The report that goes to stdout although the exit code is 3."""
    with contextlib.redirect_stdout(io.StringIO()) as told:
        assert main(['env']) == 3
    return told.getvalue()


NESTED = [
    ('config', 'show'),
    ('config', 'diff'),
    ('data', 'browse'),
    ('models', 'stats'),
    ('models', 'publish'),
    ('plot', 'logs'),
]


@pytest.mark.parametrize('words', [(), *((name,) for name in VERBS), *NESTED], ids=' '.join)
def test_every_verb_explains_itself(verb, words: tuple[str, ...]) -> None:
    told = verb(*words, '--help')
    assert told.startswith('usage: facelmk') and len(told.split('\n\n')[1]) > 10  # the purpose


TOOLS = {
    'browse_dataset': 'data browse',
    'print_config': 'config show',
    'get_flops': 'models stats',
    'analyze_logs': 'plot logs',
    'publish_model': 'models publish',
}


@pytest.mark.parametrize('tool', TOOLS)
def test_tools_are_the_same_verbs(tool: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, 'argv', [f'{tool}.py', '--help'])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / 'tools' / f'{tool}.py'), run_name='__main__')
    assert end.value.code == 0 and capsys.readouterr().out.startswith(f'usage: facelmk {TOOLS[tool]} ')


def test_every_verb_is_a_module_with_arguments_and_run() -> None:
    for name in VERBS:
        module = importlib.import_module(f'facelmk.cli.{name}')
        assert callable(module.arguments) and callable(module.run)


def test_a_misspelt_verb(verb) -> None:
    assert "Did you mean 'models'?" in verb('modles', code=2)
