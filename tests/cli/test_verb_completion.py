"""facelmk completion: scripts that shells accept, and that complete verbs, options, files and names."""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facelmk.cli import OTHER_NAMES, VERBS, build_parser, completion


@pytest.mark.parametrize('shell', ['bash', 'zsh', 'tcsh', 'fish'])
def test_scripts_are_of_their_shell(verb: Callable[..., str], shell: str, tmp_path: Path) -> None:
    shtab = pytest.importorskip('shtab', reason='needs shtab')
    if shell not in shtab.SUPPORTED_SHELLS:
        pytest.skip(f'this shtab does not know {shell}')
    script = verb('completion', shell)
    assert ('facelmk' in script and 'quickstart' in script) or shell == 'tcsh'
    for word in ('predict', 'refine', 'convert', 'facelmk_nano', *OTHER_NAMES):
        assert word in script
    if shutil.which(shell):
        (tmp_path / 'script').write_text(script)
        check = ['-n', 'script'] if shell != 'tcsh' else ['-f', 'script']
        done = subprocess.run([shell, *check], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == ''


# numbers and names
NO_FILES = {
    'A:B,C:D',
    'IOU',
    'KEY',
    'KEY=RANGE',
    'KEY=VALUE',
    'N',
    'NAME',
    'PART',
    'PATTERN',
    'PIXELS',
    'PX',
    'S',
    'bf16|fp16',
}


def arguments_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All arguments of a parser and of those below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from arguments_of(sub)
        else:
            yield action


def test_each_argument_that_may_be_a_file_is_completed() -> None:
    values = [action for action in arguments_of(build_parser(*VERBS)) if action.metavar and not action.choices]
    assert len(values) > 100
    unknown = {action.metavar for action in values if completion._kind_of(action) is None} - NO_FILES
    assert not unknown, 'is it a file or a name? list it in facelmk/cli/completion.py'


COMPLETE = (
    'source {script}; COMP_WORDS=({words}); COMP_CWORD={last}; _shtab_facelmk; printf "%s\\n" "${{COMPREPLY[@]}}"'
)


def test_bash_completes(verb: Callable[..., str], tmp_path: Path) -> None:
    pytest.importorskip('shtab', reason='needs shtab')
    (tmp_path / 'script').write_text(verb('completion', 'bash'))
    (tmp_path / 'quick.py').touch()
    (tmp_path / 'photo.jpg').touch()

    def completed(*words: str) -> set[str]:
        script = COMPLETE.format(script=tmp_path / 'script', words=' '.join(('facelmk', *words)), last=len(words))
        done = subprocess.run(['bash', '-c', script], cwd=tmp_path, capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    assert completed('pre') == {'predict'}
    assert completed('data', 'c') == {'check', 'convert', 'cache'}
    assert completed('train', 'qui') == {'quickstart', 'quick.py'}
    assert completed('predict', 'pho') == completed('train', '--data', 'pho') == {'photo.jpg'}
    assert completed('train', '--model', 'facelmk_nano_l') == {'facelmk_nano_lfpw'}
    assert completed('predict', '--model', 'facelmk_nano_l') == {'facelmk_nano_lfpw'}
    assert completed('predict', '--markup', '300') == {'300w', '300wlp'}
    assert completed('predict', '--ref') == {'--refine'}


def test_without_shtab(verb: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'shtab', None)
    assert 'pip install shtab' in verb('completion', 'bash', code=3)


def test_an_unknown_shell(verb: Callable[..., str]) -> None:
    assert 'bash, zsh' in verb('completion', 'cmd.exe', code=2).replace("'", '')
