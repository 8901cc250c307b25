"""A config that is data is evaluated from its syntax; the result is that of mmengine, which runs the file."""

import ast
import collections
from pathlib import Path

import pytest
from mmengine import Config

from facelmk.config import config_folder, load_config, open_config
from facelmk.config.evaluate import NotData, evaluate
from facelmk.config.source import read_source

BASE = """
side = 4 * 16
steps = [dict(type='A', size=side), dict(type='B', range=(0.5, side / 2))]
part = dict(type='Part', steps=steps, names={'a': 1, 'b': [2, 3]}, flag=False)
keep = dict(x=1, y=dict(z=2))
"""
LINES = {
    'update merges the dicts of a base': 'part.update(names=dict(c=4))',
    'an attribute of a base': 'part.names.a = part.steps[0].size + 1',
    'an attribute of a base is deleted': 'del part.names',
    'a list is extended in place': 'other = part.steps\nother += [dict(type="C")]',
    'augmented number': 'side **= 2\nside //= 3\nside -= 1.5',
    'unpacked': '(a, [b, c]) = (1, (2, 3))',
    'two targets': 'a = b = dict(x=[1])\na["x"][0] = 2',
    'starred': 'a = [0, *steps, *("x", "y")]\nb = {**keep, "x": 5}\nc = dict(**keep)',
    'values': 'a = -1e-3\nb = +2\nc = "a" "b" + "c" * 2\nd = None\ne = [1] * 2 + [3]\nf = 7 // 2 % 2 - 1 / 2',
    'a local dict is no ConfigDict': 'a = dict(x=dict(y=1, z=2))\na.update(x=dict(y=3))',
    'annotated': 'a: int = 3\nb: list',
    'shared values': 'a = [1]\nb = dict(x=a, y=a)\nb["x"][0] = 2',
    'passed': 'pass\n"text"',
}
READ_BASE = 'from mmengine.config import read_base\nwith read_base():\n    from .base import *\n'


def with_types(value: object) -> object:
    """A value with the types of all that is in it."""
    if isinstance(value, dict):
        return type(value), [(key, with_types(dict.__getitem__(value, key))) for key in dict.keys(value)]
    if isinstance(value, (list, tuple)):
        return type(value), [with_types(item) for item in value]
    return type(value), value


def assert_as_mmengine(path: Path) -> None:
    theirs = Config.fromfile(path)._cfg_dict
    theirs.pop('read_base', None)
    assert with_types(evaluate(read_source(path))) == with_types(theirs)


@pytest.mark.parametrize('path', sorted(config_folder().rglob('*.py')), ids=lambda path: path.stem)
def test_configs_of_facelmk(path: Path) -> None:
    assert_as_mmengine(path)


@pytest.mark.parametrize('line', LINES.values(), ids=list(LINES))
def test_statements(line: str, tmp_path: Path) -> None:
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'my.py').write_text(READ_BASE + line + '\n')
    assert_as_mmengine(tmp_path / 'my.py')


@pytest.mark.parametrize(
    'text',
    [
        'keep = dict(y=dict(z=3, w=4))\npart = dict(_delete_=True, type="Other")\n',
        'a = {{_base_.part.names}}\nb = [{{ _base_.side }}, 3]\n',
        'a = _base_.keep\na.x = 5\n',
    ],
)
def test_merged_bases(text: str, tmp_path: Path) -> None:
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'my.py').write_text('_base_ = ["base.py"]\n' + text)
    assert_as_mmengine(tmp_path / 'my.py')


@pytest.mark.parametrize('name', ['my.yaml', 'my.json'])
def test_data_files(name: str, tmp_path: Path) -> None:
    (tmp_path / 'base.py').write_text(BASE)
    text = '{"_base_": "base.py", "keep": {"y": {"z": 3}}, "x": [1, 2.5, null, {"a": true}]}'
    (tmp_path / name).write_text(text)
    assert_as_mmengine(tmp_path / name)


@pytest.mark.parametrize('line', ['a = [x for x in (5, 6)]', 'a = steps[1:]', 'a = {1, 2}', 'a = 1 if side else 2'])
def test_what_is_more_than_data_is_run_by_mmengine(line: str, tmp_path: Path) -> None:
    (tmp_path / 'my.py').write_text(f'side = 1\nsteps = [1, 2, 3]\n{line}\n')
    with pytest.raises(NotData, match=r'my\.py:3: '):
        evaluate(read_source(tmp_path / 'my.py'))
    config, _ = open_config(tmp_path / 'my.py')
    assert config.a in ([5, 6], [2, 3], {1, 2}, 1)


def test_bases_by_text_may_use_read_base(tmp_path: Path) -> None:
    """mmengine refuses this mixture."""
    (tmp_path / 'my.py').write_text(f'_base_ = [{str(config_folder() / "quickstart.py")!r}]\nwork_dir = "x"\n')
    config = load_config(tmp_path / 'my.py')
    assert config.work_dir == 'x' and config.model == load_config('quickstart').model


@pytest.mark.parametrize('line', ['x = y', 'x = 1 / 0', 'x = dict(a=1)["b"]', 'import math', 'x = [1][5]', 'del x'])
def test_the_line_of_an_error_is_named(line: str, tmp_path: Path) -> None:
    (tmp_path / 'my.py').write_text('a = 1\n' + line + '\n')
    with pytest.raises(NotData, match=r'my\.py:2: '):
        evaluate(read_source(tmp_path / 'my.py'))


def test_each_file_is_read_and_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: collections.Counter = collections.Counter()
    read_text, parse = Path.read_text, ast.parse

    def counted_read(path: Path, *arguments: object, **options: object) -> str:
        counts[path.name] += 1
        return read_text(path, *arguments, **options)  # type: ignore[arg-type]

    def counted_parse(text: str, name: str = '', *arguments: object, **options: object) -> ast.AST:
        counts[f'tree of {Path(name).name}'] += 1
        return parse(text, name, *arguments, **options)  # type: ignore[call-overload]

    load_config('hrnetv2_w18_wflw_awing')
    monkeypatch.setattr(Path, 'read_text', counted_read)
    monkeypatch.setattr(ast, 'parse', counted_parse)
    monkeypatch.setattr(Config, 'fromfile', None)
    for safe in (False, True):
        counts.clear()
        load_config('hrnetv2_w18_wflw_awing', safe=safe)
        files = [name for name in counts if name.endswith('.py') and not name.startswith('tree')]
        assert len(files) >= 6 and set(counts.values()) == {1} and len(counts) == 2 * len(files), counts
