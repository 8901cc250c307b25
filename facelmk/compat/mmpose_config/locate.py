"""The line of a config file that assigns a value, found by its dotted place in the syntax tree."""

import ast
import re

from ...config.source import ConfigSource


def locate(source: ConfigSource, place: str) -> str:
    """`file:line` of the deepest part of `place` that a file assigns; the file that is based on the others wins."""
    keys = [int(key) if key.isdigit() else key for key in re.findall(r'[^.\[\]]+', place)]
    best: tuple[int, str] = (0, str(source))
    for file in source.files():
        if isinstance(file.tree, ast.Module):
            depth, line = _deepest(file.tree, keys)
            if depth > best[0]:
                best = depth, f'{file}:{line}'
    return best[1]


def _deepest(tree: ast.Module, keys: list[str | int]) -> tuple[int, int]:
    """How many of the keys the tree shows, and the line of the last one."""
    assigned = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    depth, line, value = 0, 1, None
    for key in keys:
        found = assigned.get(str(key)) if depth == 0 else _child(value, key)
        if found is None:
            break
        depth, line = depth + 1, getattr(found, 'lineno', line)
        names: set[str] = set()
        while isinstance(found, ast.Name) and found.id in assigned and found.id not in names:
            names.add(found.id)
            found = assigned[found.id]
        value = found
    return depth, line


def _child(value: ast.expr | None, key: str | int) -> ast.expr | None:
    """The expression of a key of dict(...) or {...}, or of an element of a list."""
    if isinstance(value, ast.Call):
        return next((word.value for word in value.keywords if word.arg == key), None)
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return next((item for name, item in pairs if isinstance(name, ast.Constant) and name.value == key), None)
    if isinstance(value, (ast.List, ast.Tuple)) and isinstance(key, int) and key < len(value.elts):
        return value.elts[key]
    return None
