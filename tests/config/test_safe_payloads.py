"""Config files and options that strangers may send: each is answered with exit code 2, at once, and nothing runs."""

import resource
import sys
import time
from pathlib import Path

import pytest

from facelmk.cli import main
from facelmk.config import load_config
from facelmk.errors import FacelmkError

PLAIN = (
    'side = 64\nmodel = dict(type="facelmk.FaceLandmarker", backbone=dict(type="QuickNet"), '
    'head=dict(type="RegressionHead"), codec=dict(type="Coordinates"), loss=dict(type="WingLoss"))\n'
    'default_hooks = dict()\nval_dataloader = dict(dataset=dict(type="SyntheticFaces", count=2))\n'
)
READ_BASE = 'from mmengine.config import read_base\nwith read_base():\n    '
HEAD = PLAIN.count('\n')  # lines
LINES = {  # one line behind PLAIN, which the message names
    'comprehension': 'x = [i for i in (1, 2)]',
    'dict comprehension': 'x = {i: i for i in "ab"}',
    'generator': 'x = dict((i, i) for i in "ab")',
    'condition': 'x = 1 if side else 2',
    'comparison': 'x = side > 3',
    'and': 'x = side and 3',
    'not': 'x = not side',
    'slice': 'x = [1, 2][0:1]',
    'set': 'x = {1, 2}',
    'bytes': 'x = b"a"',
    'complex number': 'x = 1j',
    'ellipsis': 'x = ...',
    'formatted text': 'x = f"{side}"',
    'wide format': 'x = f"{side:>1000000000}"',
    'percent format': 'x = "%1000000000s" % side',
    'walrus in a value': 'x = (a := 3)',
    'lambda in a dict': 'x = dict(a=lambda: open("canary", "w"))',
    'star import of a module': 'from os import *',
    'import with a known name': 'import os as dict',
    'print': 'print(open("canary", "w"))',
    'getattr': 'x = getattr(model, "__class__")',
    'method of text': 'x = "{0.__class__}".format(model)',
    'method of a dict': 'x = model.get("type")',
    'dict with another method': 'x = model.setdefault("a", [])',
    'attribute chain': 'x = model.update.__globals__',
    'attribute of a number': 'x = (1).real',
    'attribute assigned': 'model.__class__ = dict',
    'item of a method': 'x = model.update["a"]',
    'type as a name': 'x = type',
    'builtins': 'x = __builtins__',
    'dunder name': '__builtins__ = dict()',
    'yield': 'x = yield',
    'await': 'x = await y',
    'assert': 'assert open("canary", "w")',
    'raise': 'raise SystemExit',
    'global': 'global x',
    'large power': 'x = 9 ** 9 ** 9',
    'large negative power': 'x = 2 ** -1000000',
    'large float power': 'x = 2.0 ** 10000.0',
    'large product': 'x = 2 ** 40 * 2 ** 40',
    'large literal': f'x = 0x{"f" * 60000}',
    'shift': 'x = 1 << 60',
    'matrix product': 'x = side @ side',
    'text times text': 'x = "a" * 60000 * 60000',
    'list times number': 'x = [[0] * 10 ** 5] * 10 ** 5',
    'number as a key': 'x = {1: 2}',
    'tuple as a key': 'x = {(1, 2): 3}',
    'list as a key': 'x = {[]: 1}',
    'number as a key of a part': 'model[1] = 2',
    'half a character': 'work_dir = "\\ud800"',
    'NUL in a text': 'work_dir = "a\\0b"',
    'value put in': 'x = "{{ fileDirname }}"',
    'environment variable put in': 'work_dir = "{{$HOME:1}}"',
    'update with a list': 'model.update([1, 2])',
    'update of a number': 'side.update(a=1)',
    'unpacked too far': 'a, b = 1, 2, 3',
    'starred target': 'a, *b = [1, 2, 3]',
    'missing name': 'del nosuch',
    'base above': '_base_ = "../outside.py"',
    'base by an absolute path': '_base_ = "{outside}"',
    'base by a link': '_base_ = "link.py"',
    'base without a file': '_base_ = "nosuch.py"',
    'base with a long name': f'_base_ = "{"a" * 5000}.py"',
    'base with a NUL': '_base_ = "a\\0.py"',
    'base of a wrong type': '_base_ = {[]: 1}',
    'base by an expression': '_base_ = ["a" + ".py"]',
    'base on the network': '_base_ = "http://127.0.0.1:9/a.py"',
    'base of a package': '_base_ = "mmpose::a.py"',
}
FILES = {  # name and text of a config
    'read_base above': ('my.py', READ_BASE + 'from ..outside import *'),
    'read_base far above': ('my.py', READ_BASE + 'from ......outside import *'),
    'read_base of a link': ('my.py', READ_BASE + 'from .link import *'),
    'read_base of a package': ('my.py', READ_BASE + 'from canary import *'),
    'read_base of a plain import': ('my.py', READ_BASE + 'import canary'),
    'read_base with an argument': ('my.py', READ_BASE.replace('()', '(1)') + 'from .link import *'),
    'read_base of a missing name': ('my.py', READ_BASE + 'from facelmk.configs.quickstart import nosuch'),
    'read_base over dict': ('my.py', READ_BASE + 'from facelmk.configs.quickstart import model as dict'),
    'deep attribute': ('my.py', 'x = dict()\nx' + '.a' * 3000 + ' = 1'),
    'deep items': ('my.py', 'x = [0]\ny = x' + '[0]' * 3000),
    'deep dicts': ('my.py', 'x = ' + 'dict(a=' * 90 + '1' + ')' * 90),
    'doubled text': ('my.py', 'x = "abc"\n' + 'x = x + x\n' * 60),
    'many numbers': ('my.py', PLAIN + 'x = [0] * 100000'),
    'many dicts': ('my.py', PLAIN + 'x = [dict(a=1)] * 3000'),
    'keys that collide': ('my.py', 'x = {' + ','.join(f'{hex((2**61 - 1) * i)}: 1' for i in range(1, 2500)) + '}'),
    'many bases': ('my.py', '_base_ = [' + '"b.py", ' * 9000 + ']'),
    'a NUL in the file': ('my.py', 'x = 1\0'),
    'no file format': ('my.txt', 'x = 1'),
    'python/object': ('my.yaml', 'x: !!python/object/apply:os.system ["touch canary"]'),
    'python/name': ('my.yaml', 'x: !!python/name:os.system'),
    'python/module': ('my.yaml', 'x: !!python/module:canary'),
    'unknown tag': ('my.yaml', 'x: !canary bar'),
    'bool tag': ('my.yaml', 'x: !!bool maybe'),
    'empty int tag': ('my.yaml', 'x: !!int ""'),
    'timestamp tag': ('my.yaml', 'x: !!timestamp "foo"'),
    'date': ('my.yaml', 'result: {x: 2001-01-01}'),
    'wrong date': ('my.yaml', 'x: 2001-13-45'),
    'binary': ('my.yaml', 'result: {x: !!binary aGVsbG8=}'),
    'yaml set': ('my.yaml', 'result: !!set {a, b}'),
    'yaml not a number': ('my.yaml', 'result: {x: .nan}'),
    'long hexadecimal': ('my.yaml', f'result: {{x: 0x{"f" * 50000}}}'),
    'long sexagesimal': ('my.yaml', 'result: {x: 1' + ':1' * 30000 + '}'),
    'merge of a list': ('my.yaml', '<<: [1]'),
    'merge of itself': ('my.yaml', 'a: &a {<<: *a}'),
    'key of itself': ('my.yaml', '&a {*a : 1}'),
    'key that is a list': ('my.yaml', '? [1]\n: 2'),
    'two documents': ('my.yaml', 'a: 1\n---\nb: 2'),
    'missing anchor': ('my.yaml', 'a: *nosuch'),
    'doubled aliases': (
        'my.yaml',
        'a0: &a0 [1]\n' + '\n'.join(f'a{i + 1}: &a{i + 1} [*a{i}, *a{i}]' for i in range(30)),
    ),
    'many flow dicts': ('my.yaml', 'x: [' + '?,' * 32_000 + 'a]'),
    'many flow lists': ('my.yaml', 'x: [' + '[a],' * 16_000 + 'a]'),
    'deep flow': ('my.yaml', 'x: ' + '[' * 50000),
    'deep block': ('my.yaml', '- ' * 20000),
    'deep map': ('my.yaml', '\n'.join(' ' * i + 'a:' for i in range(340))),
    'yaml base in a circle': ('my.yaml', '_base_: my.yaml'),
    'yaml base of a number': ('my.yaml', '_base_: 3'),
    'yaml base above': ('my.yaml', '_base_: ../outside.py'),
    'yaml delete': ('my.yaml', 'model: {_delete_: true, type: canary.H}'),
    'yaml put in': ('my.yaml', 'work_dir: "{{$HOME:x}}"'),
    'HRNet with a tag': ('my.yaml', 'DATASET: {DATASET: WFLW, ROOT: !!python/name:os.system }'),
    'HRNet with a function': ('my.yaml', 'DATASET: {DATASET: WFLW}\nTRAIN: {OPTIMIZER: os.system}'),
    'HRNet with a list': ('my.yaml', 'DATASET: {DATASET: [1]}'),
    'json not a number': ('my.json', '{"result": {"x": NaN}}'),
    'json long number': ('my.json', '{"x": ' + '9' * 5000 + '}'),
    'json deep': ('my.json', '{"x": ' + '{"a":' * 99 + '1' + '}' * 99 + '}'),
    'json half a character': ('my.json', '{"work_dir": "\\ud800"}'),
    'json type': ('my.json', '{"custom_hooks": [{"type": "canary.H"}]}'),
    'json type in a type': ('my.json', '{"custom_hooks": [{"type": {"type": "canary.H"}}]}'),
}
OPTIONS = [  # of the command line
    'model.backbone.type=canary.H',
    'model.backbone.type=[canary.H]',
    'model._scope_=canary',
    'default_scope=canary',
    'custom_imports.imports=canary',
    'optim_wrapper.constructor=canary.H',
    'custom_hooks.0.type=canary.H',
    'compile.options.x=1',
    'compile.backend=canary.H',
    'compile=canary.H',
    'default_hooks.checkpoint.backend_args.sys_path=.',
    'default_hooks.checkpoint.type=os.system',
    'val_evaluator.0.type=builtins.eval',
    'val_dataloader.collate_fn.type=canary.H',
    'train_cfg.type=canary.H',
    'log_processor.type=canary.H',
    'env_cfg.dist_cfg.type=canary.H',
    'model.size=9**9**9',
    'model.size=__import__("os").system("touch${IFS}canary")',
    'visualizer.vis_backends.0.type=canary.H',
    'custom_hooks=' + '[' * 1000 + ']' * 1000,
    'custom_hooks=' + '[' * 100 + ']' * 100,
    'optim_wrapper.optimizer.lr=nan',
    'model.size=' + '9' * 100,
]


@pytest.fixture(scope='module', autouse=True)
def imported() -> None:
    """Parts are imported when they are first needed; the time and memory of that are no payload's."""
    load_config('rtmpose_m_face6', safe=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module `canary` that writes the file `canary`, and a config in the folder above."""
    folder = tmp_path / 'inside'
    folder.mkdir()
    (tmp_path / 'outside.py').write_text('y = 1\n')
    (folder / 'link.py').symlink_to(tmp_path / 'outside.py')
    (folder / 'b.py').write_text('')
    (folder / 'canary.py').write_text('open("canary", "w")\nclass H:\n    pass\n')
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, 'canary', raising=False)
    return folder


def assert_refused(folder: Path, *arguments: str) -> None:
    """The command ends with exit code 2 within seconds and 50 MB, and ran nothing."""
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert main([*arguments, '--safe-config']) == 2
    assert time.process_time() - start < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024
    assert not (folder / 'canary').exists() and 'canary' not in sys.modules


@pytest.mark.parametrize('line', LINES.values(), ids=list(LINES))
@pytest.mark.fault('O04', 'O05')
def test_a_line_that_is_no_data_is_refused_by_its_number(
    line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / 'my.py').write_text(PLAIN + line.replace('{outside}', str(folder.parent / 'outside.py')) + '\n')
    assert_refused(folder, 'config', 'show', 'my.py')
    assert f'my.py:{HEAD + 1}: ' in capsys.readouterr().err


@pytest.mark.parametrize(('name', 'text'), FILES.values(), ids=list(FILES))
@pytest.mark.fault('O05', 'O06', 'O07')
def test_a_file_is_refused(name: str, text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / name).write_text(text)
    assert_refused(folder, 'config', 'show', name)
    assert name in capsys.readouterr().err


@pytest.mark.parametrize('option', OPTIONS)
@pytest.mark.fault('O08')
def test_an_option_is_refused(option: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert_refused(folder, 'config', 'show', 'quickstart', '--cfg-options', option)
    message = capsys.readouterr().err
    assert option.partition('=')[0].rpartition('.')[2] in message or option.partition('.')[0] in message


@pytest.mark.parametrize('suffix', ['json', 'py'])
@pytest.mark.fault('O06')
def test_bases_that_fork_again_and_again(suffix: str, folder: Path) -> None:
    for i in range(46):
        for letter in 'ab':
            below = f'["a{i + 1}.{suffix}", "b{i + 1}.{suffix}"]' if i < 45 else '[]'
            text = f'{{"_base_": {below}}}' if suffix == 'json' else f'_base_ = {below}\n'
            (folder / f'{letter}{i}.{suffix}').write_text(text)
    assert_refused(folder, 'config', 'show', f'a0.{suffix}')


@pytest.mark.fault('O06')
def test_a_long_chain_of_bases(folder: Path) -> None:
    for i in range(300):
        (folder / f'c{i}.py').write_text(f'_base_ = "c{i + 1}.py"\n')
    (folder / 'c300.py').write_text('x = 1\n')
    assert_refused(folder, 'config', 'show', 'c0.py')
    with pytest.raises(FacelmkError):  # no traceback without the option either
        load_config('c0.py')


@pytest.mark.fault('O06')
def test_bases_count_for_the_size(folder: Path) -> None:
    for i in range(4):
        (folder / f'w{i}.py').write_text('#' * 20_000)
    (folder / 'my.py').write_text(PLAIN + '_base_ = ["w0.py", "w1.py", "w2.py"]\n')
    assert load_config('my.py', safe=True).model.type == 'facelmk.FaceLandmarker'
    (folder / 'my.py').write_text(PLAIN + '_base_ = ["w0.py", "w1.py", "w2.py", "w3.py"]\n')
    assert_refused(folder, 'config', 'show', 'my.py')


def test_an_option_that_looks_like_code_is_text(folder: Path) -> None:
    text = '__import__("os").system("touch canary")'
    assert main(['config', 'show', 'quickstart', '--safe-config', '--cfg-options', f'work_dir={text}']) == 0
    assert load_config('quickstart', {'work_dir': text}, safe=True).work_dir == text
    assert not (folder / 'canary').exists()
