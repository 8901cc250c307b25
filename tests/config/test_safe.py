"""--safe-config takes every config of facelmk, and refuses whatever could run code or import a module."""

import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine import registry as mmengine_registries

from facelmk.cli import main
from facelmk.config import config_names, load_config
from facelmk.errors import FacelmkError

PLAIN = (
    '"""A title."""\nside = 64\nmodel = dict(type="facelmk.FaceLandmarker", backbone=dict(type="QuickNet"), '
    'head=dict(type="RegressionHead"), codec=dict(type="Coordinates"), loss=dict(type="WingLoss"))\n'
    'model.update(flip_test=False)\nmodel["mean"] = [side / 2 - 1] * 3\ndel side\n'
    'default_hooks = dict()\nval_dataloader = dict(dataset=dict(type="SyntheticFaces", count=2))\n'
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
    'annotation': 'x: open("canary", "w") = [open("canary", "w")]',
    'formatted': "x = f\"{open('canary', 'w')}\"",
    'put in': 'x = "{{$NOTHING:1}}"',
    'hidden in a default': 'x = {{$NOTHING:open("canary", "w")}}',
    'walrus': '(open := 3)',
    'other name for dict': 'dict = open',
    'base elsewhere': '_base_ = "mmpose::canary.py"',
    'base of the network': '_base_ = "http://localhost/canary.py"',
    'base worked out': '_base_ = "a" + ".py"',
    'import of another package': 'with read_base():\n    from canary import *',
}
CALL = 'dict(type="os.system", command="touch canary")'
PARTS = {  # beside the places in test_safe_places.py
    'clip_grad of a hook': f'default_hooks.update(clip_grad={CALL})',
    'clip_grad of a hook, a module': 'default_hooks.update(clip_grad=dict(type="canary.H"))',
    'clip_grad of the optimizer': 'optim_wrapper = dict(optimizer=dict(type="SGD", lr=1, clip_grad=dict(type="canary.H")))',
    'clip_grad itself': 'optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), clip_grad=dict(type="canary.H"))',
    'custom hook': f'custom_hooks = [{CALL}]',
    'environment': 'env_cfg = dict(dist_cfg=dict(type="canary.H"))',
    'a part that is a function': 'model["backbone"]["type"] = "mmengine.dump"',
    'a data set that unpickles': 'val_dataloader["dataset"] = dict(type="BaseDataset", ann_file="x.pkl")',
    'scope of a part': 'model["_scope_"] = "canary"',
    'imports by an item': 'model["custom_imports"] = dict(imports=["canary"])',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module `canary` that writes the file `canary` when it is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, 'canary', raising=False)
    (tmp_path / 'canary.py').write_text(
        'open("canary", "w")\nclass H:\n    def __init__(self, **options):\n        pass\n'
    )
    return tmp_path


def assert_nothing_ran(folder: Path) -> None:
    assert not (folder / 'canary').exists() and 'canary' not in sys.modules


@pytest.mark.parametrize('name', config_names())
def test_configs_of_facelmk_are_equal_in_safe_mode(name: str) -> None:
    assert load_config(name, safe=True)._cfg_dict == load_config(name)._cfg_dict


def test_a_plain_config_is_read(tmp_path: Path) -> None:
    (tmp_path / 'my.py').write_text(PLAIN)
    config = load_config(tmp_path / 'my.py', safe=True)
    assert config.model.mean == [31.0] * 3 and config.model.flip_test is False


@pytest.mark.parametrize('kind', ['norm', 'value'])
def test_the_two_kinds_of_clip_grad_are_no_parts(kind: str, tmp_path: Path) -> None:
    values = dict(norm='max_norm', value='clip_value')
    (tmp_path / 'my.py').write_text(
        PLAIN
        + f'optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), clip_grad=dict(type="{kind}", {values[kind]}=1))'
    )
    assert load_config(tmp_path / 'my.py', safe=True).optim_wrapper.clip_grad.type == kind
    (tmp_path / 'other.py').write_text(PLAIN + f'default_hooks.update(clip_grad=dict(type="{kind}"))')
    with pytest.raises(FacelmkError, match='other.py'):
        load_config(tmp_path / 'other.py', safe=True)


@pytest.mark.parametrize('line', CODE.values(), ids=list(CODE))
def test_code_is_refused_by_file_and_line(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / 'my.py').write_text(PLAIN + line + '\n')
    assert main(['config', 'show', 'my.py', '--safe-config']) == 2
    message = capsys.readouterr().err
    first = PLAIN.count('\n') + 1
    assert any(f'my.py:{first + i}: ' in message for i in range(2)), message
    assert_nothing_ran(folder)


@pytest.mark.parametrize('line', PARTS.values(), ids=list(PARTS))
@pytest.mark.parametrize('options', [[], ['--cfg-options', 'model.backbone.width=8', 'default_hooks.timer.x=1']])
def test_a_part_that_is_not_registered_is_refused_and_not_imported(
    line: str, options: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / 'my.py').write_text(PLAIN + line + '\n')
    assert main(['config', 'show', 'my.py', '--safe-config', *options]) == 2
    assert 'my.py' in capsys.readouterr().err
    assert_nothing_ran(folder)


@pytest.mark.parametrize('key', ['model.backbone.type', 'optim_wrapper.constructor', 'default_scope'])
def test_an_option_of_the_command_line_obeys_the_same_rule(key: str, folder: Path) -> None:
    (folder / 'my.py').write_text(PLAIN + 'optim_wrapper = dict(optimizer=dict(type="SGD", lr=1))\n')
    assert main(['config', 'show', 'my.py', '--safe-config', '--cfg-options', f'{key}=canary.H']) == 2
    assert_nothing_ran(folder)


def test_options_are_checked_before_one_of_them_is_looked_up(folder: Path) -> None:
    """To set a value below a part, its arguments are looked up, which would import it."""
    with pytest.raises(FacelmkError):
        load_config('quickstart', {'model.backbone.type': 'canary.H', 'model.backbone.x.y': 1}, safe=True)
    assert_nothing_ran(folder)


def test_the_module_is_imported_without_safe_mode(folder: Path) -> None:
    """Otherwise the tests above would show nothing."""
    (folder / 'my.py').write_text(PLAIN + PARTS['custom hook'].replace(CALL, 'dict(type="canary.H")') + '\n')
    load_config(folder / 'my.py')
    assert (folder / 'canary').exists()


@pytest.mark.parametrize('line', ['custom_hooks = [dict(type="NME")]', 'val_evaluator = [dict(type="EMAHook")]'])
def test_a_name_of_another_registry_imports_no_file_of_that_name(line: str, folder: Path) -> None:
    for name in ('NME', 'EMAHook'):
        (folder / f'{name}.py').write_text('import canary')
    (folder / 'my.py').write_text(PLAIN + line + '\n')
    assert main(['config', 'show', 'my.py', '--safe-config']) == 2
    assert mmengine_registries.FUNCTIONS.get('NME') is None  # as the Runner looks up a collate function
    assert_nothing_ran(folder)


def test_both_configs_of_a_comparison_are_checked(folder: Path) -> None:
    (folder / 'my.py').write_text(PLAIN + 'open("canary", "w")\n')
    for pair in (('my.py', 'quickstart'), ('quickstart', 'my.py')):
        assert main(['config', 'diff', *pair, '--safe-config']) == 2
    assert_nothing_ran(folder)


def aliases(letters: str) -> str:
    rows = [f'{b}: &{b} [{", ".join([f"*{a}"] * 9)}]' for a, b in itertools.pairwise(letters)]
    return '\n'.join([f'{letters[0]}: &{letters[0]} [1]', *rows])


LARGE: dict[str, Callable[[], tuple[str, str]]] = {  # suffix and text of files that ask for much time or memory
    'power': lambda: ('py', PLAIN + 'x = 9 ** 9 ** 9'),
    'text': lambda: ('py', PLAIN + 'x = "a" * 10 ** 10'),
    'list': lambda: ('py', PLAIN + 'x = [0] * 10 ** 10'),
    'format': lambda: ('py', PLAIN + 'x = "%10000000000s" % 1'),
    'shift': lambda: ('py', PLAIN + 'x = 1 << 10 ** 11'),
    'lists of lists': lambda: ('py', PLAIN + 'x = [1]\n' + 'x = [x, x]\n' * 40),
    'sums of lists': lambda: ('py', PLAIN + 'x = [1]\n' + 'x += x\n' * 40),
    'dicts of dicts': lambda: ('py', PLAIN + 'x = dict()\n' + 'x = dict(a=x, b=x)\n' * 40),
    'products': lambda: ('py', PLAIN + 'x = 10\n' + 'x = x * x\n' * 40),
    'loops': lambda: ('py', PLAIN + f'x = [1 {"for _ in range_ " * 8}]'.replace('range_', '(1, 2, 3, 4, 5, 6, 7, 8)')),
    'a dict in itself': lambda: ('py', PLAIN + 'x = dict()\nx.update(x=x)\n'),
    'a list in itself': lambda: ('py', PLAIN + 'x = [1]\nx[0:0] = [x]\n'),
    'deep': lambda: ('py', PLAIN + f'x = {"[" * 80}{"]" * 80}'),
    'deeper': lambda: ('py', PLAIN + f'x = {"-" * 20000}1'),
    'a long file': lambda: ('py', PLAIN + '#' * 10**6),
    'aliases': lambda: ('yaml', aliases('abcdefghijkl')),
    'merged aliases': lambda: (
        'yaml',
        aliases('abcdefghi').replace('[', '{<<: [').replace(']', ']}').replace('[1]', '[]'),
    ),
    'deep yaml': lambda: ('yaml', 'x: ' + '[' * 50_000),
    'yaml in itself': lambda: ('yaml', 'x: &x [*x]'),
    'deep json': lambda: ('json', '{"x": ' + '[' * 50_000),
    'json': lambda: ('json', '{"x": ' + '[' * 200 + ']' * 200 + '}'),
}


@pytest.mark.parametrize('make', LARGE.values(), ids=list(LARGE))
def test_a_file_that_would_fill_the_machine_is_refused_at_once(
    make: Callable[[], tuple[str, str]], tmp_path: Path
) -> None:
    suffix, text = make()
    (tmp_path / f'my.{suffix}').write_text(text)
    start = time.process_time()
    with pytest.raises(FacelmkError, match=rf'my\.{suffix}'):
        load_config(tmp_path / f'my.{suffix}', safe=True)
    assert time.process_time() - start < 10  # of the processor: it would be minutes, or all memory


@pytest.mark.parametrize(
    'based',
    ['_base_ = ["base.py"]\n', 'from mmengine.config import read_base\nwith read_base():\n    from .base import *\n'],
)
def test_bases_are_checked_too(based: str, tmp_path: Path) -> None:
    (tmp_path / 'base.py').write_text('x = 1\nopen("canary", "w")\n')
    (tmp_path / 'my.py').write_text(based + PLAIN)
    with pytest.raises(FacelmkError, match=r'base\.py:2: '):
        load_config(tmp_path / 'my.py', safe=True)


@pytest.mark.parametrize('safe', [True, False])
def test_a_tag_of_yaml_runs_nothing(safe: bool, tmp_path: Path) -> None:
    canary = tmp_path / 'canary'
    (tmp_path / 'my.yaml').write_text(f'work_dir: !!python/object/apply:os.system ["touch {canary}"]\n')
    with pytest.raises(FacelmkError, match=r'my\.yaml'):
        load_config(tmp_path / 'my.yaml', safe=safe)
    assert not canary.exists()
