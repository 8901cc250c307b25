"""Names of a config file that are neither read as keys nor used as variables."""

import ast
import difflib
from collections.abc import Collection

from ...config.source import ConfigSource
from ...errors import UnknownName
from .locate import locate


def refuse_unused_variables(source: ConfigSource, names: Collection[str], keys: Collection[str]) -> None:
    """Refuse a name that changes nothing: a misspelt key, or a variable that another file has used already.

    A file without any variables, as mmengine writes it for each run, keeps the names of the values that it has spelt
    out. There only misspelt keys are refused.
    """
    trees = {file.path: file.tree for file in source.files() if isinstance(file.tree, ast.Module)}
    used = {path: _used(tree) for path, tree in trees.items()}
    written_out = not source.merged and not source.imported and not any(used.values())
    below_base = {name.removeprefix('_base_.') for uses in used.values() for name in uses if name.startswith('_base_.')}
    for name in sorted(set(names) - set(keys)):
        owners = [path for path, tree in trees.items() if name in _assigned(tree)]
        if not owners or name in below_base or all(name in used[path] for path in owners):
            continue
        similar = difflib.get_close_matches(name, keys, n=1, cutoff=0.78)
        if written_out and not similar:
            continue
        raise UnknownName(
            f'{locate(source, name)}: nothing reads {name!r}, neither this file nor a run; values that another file '
            f'has made with it stay as they are. {f"Did you mean {similar[0]!r}? " if similar else ""}Set the values '
            'that it should change, such as train_dataloader.dataset.data_root, or remove it'
        )


def _assigned(tree: ast.Module) -> set[str]:
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)} - {'_base_'}


def _used(tree: ast.Module) -> set[str]:
    """Names that a file reads, with `_base_.name` for those of its bases."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == '_base_':
            names.add(f'_base_.{node.attr}')
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names.add(node.id)
    return names - {'_base_', 'dict', 'list', 'tuple', 'range', 'int', 'float', 'len'}
