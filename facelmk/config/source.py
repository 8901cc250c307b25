"""A config file, read and parsed once: its text, its tree, its keys, and the files that it is based on."""

import ast
import itertools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import FacelmkError

SUFFIXES = ('.py', '.yaml', '.yml', '.json')
MAX_SAFE_BYTES = 2**16  # of one file in safe mode; the longest config of facelmk has 5 kB
MAX_BRACKETS = 100
MAX_YAML_VALUES = 100_000  # of a YAML file with its aliases written out


@dataclass(eq=False)
class ConfigSource:
    """One config file. `tree` is the syntax tree of a .py file, or the dict of a .yaml or .json file."""

    path: Path
    text: str
    tree: ast.Module | dict[str, Any]
    keys: set[str] = field(default_factory=set)  # those that this file and its `_base_` assign
    merged: list[tuple[int, 'ConfigSource']] = field(default_factory=list)  # line and file of each `_base_`
    imported: dict[ast.stmt, 'ConfigSource'] = field(default_factory=dict)  # file of each import of `read_base()`

    def __str__(self) -> str:
        return str(self.path)

    def files(self) -> list['ConfigSource']:
        """This file, then all files that it is based on."""
        files = [self]
        for file in files:
            bases = (*file.imported.values(), *(base for _, base in file.merged))
            files += [base for base in dict.fromkeys(bases) if base not in files]
        return files


def parse(path: Path, safe: bool = False) -> ConfigSource:
    """Read and parse one file; its bases are not followed yet."""
    if path.suffix not in SUFFIXES:
        raise FacelmkError(f'{path}: expected a config that ends in {", ".join(SUFFIXES)}, not in {path.suffix!r}')
    if safe and path.stat().st_size > MAX_SAFE_BYTES:
        raise FacelmkError(f'{path} has more than {MAX_SAFE_BYTES} bytes, the limit of --safe-config')
    try:
        text = path.read_text(encoding='utf-8')
        return _parse_python(path, text) if path.suffix == '.py' else _parse_data(path, text)
    except (SyntaxError, ValueError, RecursionError, MemoryError, yaml.YAMLError) as error:
        mark = getattr(error, 'problem_mark', None)
        line = mark.line + 1 if mark else getattr(error, 'lineno', None) or 1
        raise FacelmkError(
            f'{path}:{line}: the file cannot be parsed: {type(error).__name__}: {error}. Expected plain '
            f'{"Python" if path.suffix == ".py" else path.suffix[1:]}'
        ) from error


def _parse_python(path: Path, text: str) -> ConfigSource:
    tree = ast.parse(text, str(path))
    targets = [
        target
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    keys = {target.id for target in targets if isinstance(target, ast.Name)}
    return ConfigSource(path, text, tree, keys - {'_base_'})


def _parse_data(path: Path, text: str) -> ConfigSource:
    depths = itertools.accumulate((char in '[{') - (char in ']}') for char in text)
    if max(depths, default=0) > MAX_BRACKETS:  # which take the parsers long, or too many calls
        raise FacelmkError(f'{path}: more than {MAX_BRACKETS} brackets lie in one another. Nest the values less deeply')
    values = json.loads(text or 'null') if path.suffix == '.json' else _load_yaml(path, text)
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise FacelmkError(
            f'{path} holds {"nothing" if values is None else type(values).__name__}. Expected text keys with values: '
            'model, train_dataloader, ... (see: facelmk config show quickstart --json)'
        )
    return ConfigSource(path, text, values, set(values) - {'_base_'})


def _load_yaml(path: Path, text: str) -> Any:
    """Plain data; the aliases are counted before PyYAML writes them out."""
    loader = yaml.SafeLoader(text)
    root = loader.get_single_node()
    nodes, count = [root] if root else [], 0
    while nodes:
        node = nodes.pop()
        count += 1
        if count + len(nodes) > MAX_YAML_VALUES:
            raise FacelmkError(
                f'{path} has more than {MAX_YAML_VALUES} values once its aliases are written out. Use fewer aliases'
            )
        if isinstance(node, yaml.MappingNode):
            nodes += [child for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value
    return loader.construct_document(root) if root else None


Source = ConfigSource | Path | str  # a config; or what to call it in messages, where it was not read from a file


def holder(source: Source, word: Any) -> Path | str:
    """The first file that says `word`: the config itself, or one that it is based on; else the config."""
    if not isinstance(source, ConfigSource):
        return source
    pattern = re.compile(rf'\b{re.escape(str(word))}\b')
    return next((file.path for file in source.files() if pattern.search(file.text)), source.path)
