"""A config file and the files that it is based on, each read and parsed once.

Missing files, circles, and keys that two bases assign are refused.
"""

import ast
import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import FacelmkError, UnknownName, did_you_mean
from ..registry import SCOPE
from .folders import config_folder, package_config
from .foreign import config_formats

SUFFIXES = ('.py', '.yaml', '.yml', '.json')
MAX_SAFE_BYTES = 2**16  # of a file with all its bases, in safe mode; those of facelmk have 20 kB
MAX_BASES = 50  # of one file, and one below the other
MAX_BRACKETS = 100
MAX_YAML_VALUES = 100_000  # of a YAML file with its aliases written out
MAX_SAFE_YAML_VALUES = 5_000  # in safe mode; PyYAML reads them in about a tenth of a second
PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError, OSError, yaml.YAMLError) + (
    (LookupError, TypeError, AttributeError, ArithmeticError)  # of PyYAML, for tags such as !!bool maybe
)


@dataclass(eq=False)
class ConfigSource:
    """One config file. `tree` is the syntax tree of a .py file, or the dict of a .yaml or .json file."""

    path: Path
    text: str
    tree: ast.Module | dict[str, Any]
    merged: list[tuple[int, 'ConfigSource']] = field(default_factory=list)  # line and file of each `_base_`
    imported: dict[ast.stmt, 'ConfigSource'] = field(default_factory=dict)  # file of each import of `read_base()`
    keys: set[str] = field(default_factory=set)  # those that this file and its `_base_` assign
    options: tuple[str, ...] = ()  # the dotted keys of --cfg-options, whose values replace those of the files
    line_of_other_base: int | None = None  # a `_base_` that only mmengine finds: of a package, of the network

    def __str__(self) -> str:
        return str(self.path)

    def files(self) -> list['ConfigSource']:
        """This file, then all files that it is based on."""
        files = [self]
        for file in files:
            bases = (*file.imported.values(), *(base for _, base in file.merged))
            files += [base for base in dict.fromkeys(bases) if base not in files]
        return files


Source = ConfigSource | Path | str  # a config; or what to call it in messages, where it was not read from a file


def holder(source: Source, word: Any, place: str = '') -> Path | str:
    """The first file that says `word`: the config itself, or one that it is based on; else the config.

    `place` is where the value is, such as val_evaluator[0].type: an option of the command line may have set it.
    """
    if not isinstance(source, ConfigSource):
        return source
    dotted = re.sub(r'\[(\d+)\]', r'.\1', re.sub(r' \(.*?\)', '', place))
    if option := next((key for key in source.options if dotted == key or dotted.startswith(f'{key}.')), None):
        return f'--cfg-options {option}'
    pattern = re.compile(rf'\b{re.escape(str(word))}\b')
    return next((file.path for file in source.files() if pattern.search(file.text)), source.path)


def read_source(path: Path, safe: bool = False, text: str | None = None) -> ConfigSource:
    """A config file with all files that it is based on; with `safe`, all of them lie in its folder or are facelmk's.

    `text` is that of a config in Python that another file holds, a checkpoint.
    """
    folders = (path.parent.resolve(), config_folder().resolve()) if safe else ()
    return _Reader(folders).read(path, (), text)


class _Reader:
    """Reads each file once; in safe mode, `folders` are those that may hold one."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders = folders
        self.known: dict[Path, ConfigSource] = {}
        self.bytes = 0

    def read(self, path: Path, children: tuple[Path, ...], text: str | None = None) -> ConfigSource:
        """`children` are the files on the way from the config to this base."""
        resolved = path.resolve()
        if resolved in children:
            circle = ' -> '.join(map(str, [*children[children.index(resolved) :], resolved]))
            raise FacelmkError(
                f'{children[-1]}: the configs are based on one another in a circle: {circle}. Take one _base_ '
                'out, or move what both need into a third file'
            )
        if resolved not in self.known:
            self.check_size(path, text)
            source = parse(path, MAX_SAFE_YAML_VALUES if self.folders else MAX_YAML_VALUES, text)
            for other in config_formats():
                other.refuse(path, source.text)
            bases = list(_bases(source))
            if len(bases) > MAX_BASES or len(children) > MAX_BASES:
                raise FacelmkError(f'{path}: a config has at most {MAX_BASES} bases, one below the other, too')
            for line, base_path, statement in bases:
                self.check_base(base_path, path, line)
                base = self.read(base_path, (*children, resolved))
                if statement is not None:
                    source.imported[statement] = base
                else:
                    source.merged.append((line, base))
            _set_keys(source)
            self.known[resolved] = source
        return self.known[resolved]

    def check_size(self, path: Path, text: str | None) -> None:
        self.bytes += path.stat().st_size if text is None else len(text.encode(errors='replace'))
        if self.folders and self.bytes > MAX_SAFE_BYTES:
            raise FacelmkError(f'{path}: --safe-config takes {MAX_SAFE_BYTES} bytes, bases included')

    def check_base(self, path: Path, child: Path, line: int) -> None:
        if not os.path.isfile(path):  # unlike Path.is_file, takes names that are too long for a file
            stems = [file.stem for file in path.parent.glob(f'*{path.suffix}')] if os.path.isdir(path.parent) else []
            raise FacelmkError(
                f'{child}:{line}: the config is based on {str(path)[:500]}, but there is no such file. '
                f'{did_you_mean(path.stem, stems) if stems else ""} Its path is relative to the file that names it'
            )
        if self.folders and not any(path.resolve().is_relative_to(folder) for folder in self.folders):
            raise FacelmkError(
                f'{child}:{line}: the config is based on {path}, which --safe-config does not read. Expected a file in '
                f'{self.folders[0]}, or a config of facelmk. Copy it there, or leave --safe-config out'
            )


def _set_keys(source: ConfigSource) -> None:
    owners: dict[str, ConfigSource] = {}
    for line, base in source.merged:
        both = {key for key in base.keys if owners.setdefault(key, base) is not base}
        if both:
            raise FacelmkError(
                f'{source}:{line}: two bases assign {", ".join(map(repr, sorted(both)))}: {owners[min(both)]} and '
                f'{base}. It is not defined which one counts. Leave one of them out, or let one be based on the other'
            )
    names = source.tree if isinstance(source.tree, dict) else _assigned_names(source.tree)
    source.keys = set(names).union(owners) - {'_base_'}


def _assigned_names(tree: ast.Module) -> Iterator[str]:
    """The names that the statements of a file assign."""
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _bases(source: ConfigSource) -> Iterator[tuple[int, Path, ast.stmt | None]]:
    """Line and path of each base, and the statement where it is an import of `read_base()`."""
    values: list[tuple[int, Any]] = []
    if isinstance(source.tree, dict):
        values.append((1, source.tree.get('_base_', [])))
    for node in source.tree.body if isinstance(source.tree, ast.Module) else ():
        if isinstance(node, ast.With):
            yield from _imports(node, source.path)
        elif isinstance(node, ast.Assign) and any(getattr(name, 'id', '') == '_base_' for name in node.targets):
            try:
                values.append((node.lineno, ast.literal_eval(node.value)))
            except PARSE_ERRORS:  # an expression, which mmengine evaluates
                source.line_of_other_base = node.lineno
    for line, value in values:
        for name in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(name, str) and '://' not in name and '::' in name:
                yield line, _of_package(source, line, *name.split('::', 1)), None
            elif isinstance(name, str) and '://' not in name:
                yield line, source.path.parent / name, None
            else:
                source.line_of_other_base = line


def _of_package(source: ConfigSource, line: int, package: str, path: str) -> Path:
    try:
        return package_config(package, path)
    except UnknownName as error:
        raise UnknownName(f'{source}:{line}: {error}') from error


def _imports(node: ast.With, path: Path) -> Iterator[tuple[int, Path, ast.stmt]]:
    """The files of relative imports and of facelmk's own configs; mmengine finds those of other packages."""
    for line in node.body:
        if isinstance(line, ast.ImportFrom) and line.module:
            module = line.module.split('.')
            if line.level:
                folder = path.parent.joinpath(*['..'] * (line.level - 1))
                yield line.lineno, folder.joinpath(*module).with_suffix('.py'), line
            elif module[:2] == [SCOPE, 'configs'] and len(module) > 2:
                yield line.lineno, config_folder().joinpath(*module[2:]).with_suffix('.py'), line


def parse(path: Path, max_yaml_values: int = MAX_YAML_VALUES, text: str | None = None) -> ConfigSource:
    """Read and parse one file, or the text of one in Python; its bases are not followed yet."""
    is_python = text is not None or path.suffix == '.py'
    if not is_python and path.suffix not in SUFFIXES:
        raise FacelmkError(f'{path}: expected a config that ends in {", ".join(SUFFIXES)}, not in {path.suffix!r}')
    try:
        text = path.read_text(encoding='utf-8') if text is None else text
        tree = ast.parse(text, str(path)) if is_python else _data(path, text, max_yaml_values)
        return ConfigSource(path, text, tree)
    except FacelmkError:
        raise
    except PARSE_ERRORS as error:
        mark = getattr(error, 'problem_mark', None)
        line = mark.line + 1 if mark else getattr(error, 'lineno', None) or 1
        raise FacelmkError(
            f'{path}:{line}: the file cannot be parsed: {type(error).__name__}: {error}. Expected plain '
            f'{"Python" if is_python else path.suffix[1:]}'
        ) from error


def _data(path: Path, text: str, max_yaml_values: int) -> dict[str, Any]:
    depths = itertools.accumulate((char in '[{') - (char in ']}') for char in text)
    if max(depths, default=0) > MAX_BRACKETS:  # which take the parsers long, or too many calls
        raise FacelmkError(f'{path}: more than {MAX_BRACKETS} brackets lie in one another. Nest the values less deeply')
    values = json.loads(text or 'null') if path.suffix == '.json' else _load_yaml(path, text, max_yaml_values)
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise FacelmkError(
            f'{path} holds {"nothing" if values is None else type(values).__name__}. Expected text keys with values: '
            'model, train_dataloader, ... (see: facelmk config show quickstart --json)'
        )
    return values


class _Loader(yaml.SafeLoader):
    """PyYAML's loader of plain data, which counts values while it reads them, and those of aliases before it copies."""

    def __init__(self, path: Path, text: str, limit: int) -> None:
        super().__init__(text)
        self.path, self.limit, self.count = path, limit, 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.count += 1
        self.check(self.count)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def check(self, count: int) -> None:
        if count > self.limit:
            raise FacelmkError(
                f'{self.path} has more than {self.limit} values with its aliases written out. Use fewer values'
            )

    def check_aliases(self, root: yaml.Node) -> None:
        nodes, count = [root], 0
        while nodes:
            node, count = nodes.pop(), count + 1
            self.check(count + len(nodes))
            if isinstance(node, yaml.CollectionNode):  # of a dict, the pairs of keys and values
                pairs = isinstance(node, yaml.MappingNode)
                nodes += itertools.chain(*node.value) if pairs else node.value


def _load_yaml(path: Path, text: str, limit: int) -> Any:
    loader = _Loader(path, text, limit)
    root = loader.get_single_node()
    if root is None:
        return None
    loader.check_aliases(root)
    return loader.construct_document(root)
