"""Which files a config is based on: missing files, circles, and keys that two bases assign are refused."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import FacelmkError, did_you_mean
from ..registry import SCOPE
from .folders import config_folder
from .foreign import refuse_foreign
from .source import ConfigSource, parse


def read_source(path: Path, safe: bool = False) -> ConfigSource:
    """A config file and the files that it is based on, each read and parsed once."""
    return _read(path, safe, (), {})


def _read(path: Path, safe: bool, children: tuple[Path, ...], known: dict[Path, ConfigSource]) -> ConfigSource:
    """`children` are the files on the way from the config to this base, `known` are the files that have been read."""
    resolved = path.resolve()
    if resolved in children:
        circle = ' -> '.join(map(str, [*children[children.index(resolved) :], resolved]))
        raise FacelmkError(
            f'{children[-1]}: the configs are based on one another in a circle: {circle}. Take one _base_ '
            'out, or move what both need into a third file'
        )
    if resolved not in known:
        source = parse(path, safe)
        refuse_foreign(path, source.text)
        for line, base_path, statement in _bases(source):
            _check_exists(path, line, base_path)
            base = _read(base_path, safe, (*children, resolved), known)
            if statement is None:
                source.merged.append((line, base))
            else:
                source.imported[statement] = base
        _check_double_keys(source)
        source.keys.update(*(base.keys for _, base in source.merged))
        known[resolved] = source
    return known[resolved]


def _check_exists(path: Path, line: int, base: Path) -> None:
    if not base.is_file():
        stems = [file.stem for file in base.parent.glob(f'*{base.suffix}')]
        raise FacelmkError(
            f'{path}:{line}: the config is based on {base}, but there is no such file. '
            f'{did_you_mean(base.stem, stems) if stems else ""} Its path is relative to the file that names it'
        )


def _check_double_keys(source: ConfigSource) -> None:
    for (_, one), (line, other) in itertools.combinations(source.merged, 2):
        if one is not other and (both := one.keys & other.keys):
            raise FacelmkError(
                f'{source}:{line}: two bases assign {", ".join(map(repr, sorted(both)))}: {one} and {other}. '
                'It is not defined which one counts. Leave one of them out, or let one be based on the other'
            )


def _bases(source: ConfigSource) -> Iterator[tuple[int, Path, ast.stmt | None]]:
    """Line and path of each base, and the statement where it is an import of `read_base()`."""
    if isinstance(source.tree, dict):
        yield from ((1, source.path.parent / name, None) for name in base_names(source.tree.get('_base_')))
        return
    for node in source.tree.body:
        if isinstance(node, ast.With):
            yield from _imports(node, source.path)
        elif isinstance(node, ast.Assign) and any(getattr(name, 'id', '') == '_base_' for name in node.targets):
            for name in base_names(_literal(node.value)):
                yield node.lineno, source.path.parent / name, None


def _imports(node: ast.With, path: Path) -> Iterator[tuple[int, Path, ast.stmt]]:
    """The files of relative imports and of facelmk's own configs; mmengine finds those of other packages."""
    for line in node.body:
        if not isinstance(line, ast.ImportFrom) or not line.module:
            continue
        module = line.module.split('.')
        if line.level:
            folder = path.parent.joinpath(*['..'] * (line.level - 1))
            yield line.lineno, folder.joinpath(*module).with_suffix('.py'), line
        elif module[:2] == [SCOPE, 'configs'] and len(module) > 2:
            yield line.lineno, config_folder().joinpath(*module[2:]).with_suffix('.py'), line


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:  # an expression, which mmengine evaluates
        return None


def base_names(value: Any) -> list[str]:
    """The bases of a `_base_` that are files; mmengine finds those of another package or of the network."""
    names = value if isinstance(value, (list, tuple)) else [value]
    return [name for name in names if isinstance(name, str) and '::' not in name and '://' not in name]
