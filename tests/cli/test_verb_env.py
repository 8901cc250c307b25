"""facelmk env, and properties of all verbs."""

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
    environment = json.loads(verb('env', '--json'))
    assert environment['problems'] == []
    assert environment['machine']['python'] == '.'.join(map(str, sys.version_info[:3]))
    assert environment['packages']['torch'] == metadata.version('torch')
    assert environment['torch']['version'].partition('+')[0] == metadata.version('torch').partition('+')[0]
    assert 'mmengine' in verb('env')


def test_a_missing_and_an_old_package_are_named_with_the_command_that_solves_it(verb, monkeypatch) -> None:
    monkeypatch.setattr(env, 'requirements', lambda: [Requirement('no-such-thing>=1'), Requirement('numpy>=99')])
    text = env_with_problems()
    assert 'pip install "no-such-thing>=1"' in text
    assert metadata.version('numpy') in text and 'pip install "numpy>=99"' in text


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
    assert 'pip uninstall -y' in problems[0]


def test_a_package_with_the_same_modules_counts(monkeypatch) -> None:
    monkeypatch.setattr(env, '_version', lambda name: '4.11.0' if name == 'opencv-python-headless' else None)
    problems: list[str] = []
    assert env._package(Requirement('opencv-python>=4.8'), problems) == '4.11.0 (opencv-python-headless)'
    assert problems == []


def env_with_problems() -> str:
    """The stdout of `facelmk env` with exit code 3."""
    with contextlib.redirect_stdout(io.StringIO()) as stdout:
        assert main(['env']) == 3
    return stdout.getvalue()


NESTED = [
    ('config', 'show'),
    ('config', 'diff'),
    ('config', 'check'),
    ('data', 'check'),
    ('data', 'convert'),
    ('data', 'browse'),
    ('data', 'detect'),
    ('models', 'stats'),
    ('models', 'publish'),
    ('plot', 'logs'),
]


@pytest.mark.parametrize('words', [(), *((name,) for name in VERBS), *NESTED], ids=' '.join)
def test_help_has_a_purpose_and_an_example(verb, words: tuple[str, ...], monkeypatch) -> None:
    monkeypatch.setenv('COLUMNS', '120')
    text = verb(*words, '--help')
    assert text.startswith('usage: facelmk') and len(text.split('\n\n')[1]) > 10  # the purpose
    example = text.splitlines()[-1]
    assert example.startswith(' '.join(('example: facelmk', *words)))


TOOLS = {
    'browse_dataset': 'data browse',
    'print_config': 'config show',
    'get_flops': 'models stats',
    'analyze_logs': 'plot logs',
    'publish_model': 'models publish',
    'compare': 'compare',
    'analysis_tools/print_config': 'config show',
    'analysis_tools/get_flops': 'models stats',
    'analysis_tools/analyze_logs': 'plot logs',
    'misc/browse_dataset': 'data browse',
    'misc/publish_model': 'models publish',
}


@pytest.mark.parametrize('tool', TOOLS)
def test_tools_run_the_same_verbs(tool: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, 'argv', [f'{tool}.py', '--help'])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / 'tools' / f'{tool}.py'), run_name='__main__')
    assert end.value.code == 0 and capsys.readouterr().out.startswith(f'usage: facelmk {TOOLS[tool]} ')


def test_every_verb_is_a_module_with_arguments_and_run() -> None:
    for name in VERBS:
        module = importlib.import_module(f'facelmk.cli.{name}')
        assert callable(module.arguments) and callable(module.run)


def test_a_misspelt_verb_is_refused(verb) -> None:
    assert "'models'" in verb('modles', code=2)


def test_an_option_before_the_verb_is_refused(verb) -> None:
    assert 'facelmk env ... --json' in verb('--json', 'env', code=2)
