"""The lines of `facelmk models list`. They need no config but the result that it publishes, which is read as text."""

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..config.folders import config_folder
from ..files.download import cached, mirror_prefixes
from .index import LANDMARKS, file_of, rows


class Line(NamedTuple):
    """What a list says of a model. `NME` is the first of its figures, in per cent; None without one."""

    name: str
    scheme: str
    parameters: int
    macs: int
    NME: float | None
    weights: str


def line_of(name: str) -> Line:
    """Return the line of a model."""
    row = rows()[name]
    result = dict(_published(row['config']))
    figures = row.get('NME') or result.get('NME') or {}
    scheme = row.get('markup') or row.get('task', LANDMARKS)
    return Line(name, scheme, row['parameters'], row['macs'], next(iter(figures.values()), None), _where(row, result))


def is_on_this_machine(name: str) -> bool:
    """Whether the weights of a model came with facelmk, or lie in the cache of downloads."""
    row = rows()[name]
    url = row.get('url') or dict(_published(row['config'])).get('checkpoint')
    return file_of(row) is not None or (url is not None and cached(url).is_file())


def _where(row: Any, result: dict[str, Any]) -> str:
    """Where the weights of a model are, in a word or two."""
    if file_of(row) is not None:
        return 'on this machine'
    if row.get('url') or 'checkpoint' in result or row.get('mirrors') or (row.get('file') and mirror_prefixes()):
        return 'download'
    return 'page for browsers' if 'checkpoint_page' in result else 'in the repository'


def _published(config: str) -> Iterator[tuple[str, Any]]:
    """Yield the keys of `result = dict(...)` in a config file whose values are written out there."""
    for node in ast.parse((config_folder() / f'{config}.py').read_text(encoding='utf-8')).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.targets[0]) == 'result'
        ):
            for keyword in node.value.keywords:
                if (value := _literal(keyword.value)) is not None:
                    yield str(keyword.arg), value


def _literal(node: ast.expr) -> Any:
    """Return the value of an expression of literals and dict(...); None for a name."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict':
        return {str(keyword.arg): _literal(keyword.value) for keyword in node.keywords}
    return ast.literal_eval(node) if isinstance(node, ast.Constant) else None
