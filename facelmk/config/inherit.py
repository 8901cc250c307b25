"""What a config is based on, told from its text: missing files, circles and keys that two bases give."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ..errors import FacelmkError, did_you_mean
from ..registry import SCOPE
from .folders import config_folder


def check_bases(path: Path, above: tuple[Path, ...] = ()) -> set[str]:
    """Refuse a base that is not there, a circle, or one key in two bases of a `_base_`; returns the file's keys."""
    here = path.resolve()
    if here in above:
        circle = ' -> '.join(map(str, [*above[above.index(here) :], here]))
        raise FacelmkError(
            f'{above[-1]}: the configs are based on one another in a circle: {circle}. Take one _base_ '
            'out, or move what both need into a third file'
        )
    merged, imported, keys = _read(path)
    given: dict[Path, set[str]] = {}
    for line, base in (*merged, *imported):
        if not base.is_file():
            there = [file.stem for file in base.parent.glob(f'*{base.suffix}')]
            raise FacelmkError(
                f'{path}:{line}: the config is based on {base}, which is not there. '
                f'{did_you_mean(base.stem, there) if there else ""} Paths of bases are relative to the file '
                'that names them'
            )
        given[base] = check_bases(base, (*above, here))
    for (_, one), (line, other) in itertools.combinations(merged, 2):
        if one != other and (both := given[one] & given[other]):
            raise FacelmkError(
                f'{path}:{line}: {", ".join(map(repr, sorted(both)))} stands in two bases, {one} and '
                f'{other}, and neither goes before the other. Leave one of them out, or let one be '
                'based on the other'
            )
    return keys.union(*(given[base] for _, base in merged))


def holder(path: Path | str, word: str) -> Path | str:
    """The file that says `word`: the config itself or the first such one that it is based on; else the config."""
    if not Path(path).is_file():
        return path
    found = next(_holders(Path(path), re.compile(rf'\b{re.escape(word)}\b')), None)
    return path if found is None else found


def _holders(path: Path, word: re.Pattern[str]) -> Iterator[Path]:
    if word.search(path.read_text(encoding='utf-8')):
        yield path
    merged, imported, _ = _read(path)
    for _, base in (*imported, *merged):
        yield from _holders(base, word)


Bases = list[tuple[int, Path]]


def _read(path: Path) -> tuple[Bases, Bases, set[str]]:
    """Line and file of the bases in `_base_`, of those of `read_base()`, and the keys that the file itself gives."""
    text = path.read_text(encoding='utf-8')
    if path.suffix in ('.yaml', '.yml', '.json'):
        values = yaml.safe_load(text)
        if not isinstance(values, dict):
            raise FacelmkError(
                f'{path} holds {"nothing" if values is None else type(values).__name__}; expected keys '
                'and values: model, train_dataloader, ... (facelmk config show quickstart --json)'
            )
        return [(1, path.parent / name) for name in _names(values.get('_base_'))], [], set(values) - {'_base_'}
    merged: Bases = []
    imported: Bases = []
    keys: set[str] = set()
    for node in ast.parse(text, str(path)).body:
        if isinstance(node, ast.With):
            imported += _imports(node, path)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            names = {
                target.id
                for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
                if isinstance(target, ast.Name)
            }
            keys |= names - {'_base_'}
            if '_base_' in names and node.value is not None:
                merged += [(node.lineno, path.parent / name) for name in _names(_literal(node.value))]
    return merged, imported, keys


def _imports(node: ast.With, path: Path) -> Iterator[tuple[int, Path]]:
    """The files of relative imports and of facelmk's configs; others are found by their package."""
    for line in node.body:
        if not isinstance(line, ast.ImportFrom) or not line.module:
            continue
        module = line.module.split('.')
        if line.level:
            folder = path.parent.joinpath(*['..'] * (line.level - 1))
            yield line.lineno, folder.joinpath(*module).with_suffix('.py')
        elif module[:2] == [SCOPE, 'configs'] and len(module) > 2:
            yield line.lineno, config_folder().joinpath(*module[2:]).with_suffix('.py')


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:  # an expression, which mmengine works out
        return None


def _names(given: Any) -> list[str]:
    """The bases that are files; those of another package or of the network are left to mmengine."""
    names = [given] if isinstance(given, str) else given if isinstance(given, (list, tuple)) else []
    return [name for name in names if isinstance(name, str) and '::' not in name and '://' not in name]
