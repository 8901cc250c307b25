"""A translated config as a file: the most similar config of facelmk, and what differs from it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine import Config, ConfigDict

from ...config.evaluate import evaluate
from ...config.folders import config_folder
from ...config.load import read_values
from ...config.schema import INNER_REGISTRIES, TOP_REGISTRIES
from ...config.source import read_source
from ...config.validate import check
from ...errors import FacelmkError
from ...registry import Registry
from ..aliases import MMPOSE_0, MMPOSE_1
from .compare import dicts, differences, kind, same, value_of
from .format import MODEL, model_of
from .reading import Values, plain
from .translate import translate

WIDTH = 120
NOT_OURS = ('result', 'protocols')  # keys of a published config: figures of other weights


def translated_text(path: Path, safe: bool = False) -> str:
    """The text of a config of facelmk that does the same as the MMPose config at `path`."""
    source = read_source(path, safe)
    values = read_values(source, safe)._cfg_dict
    if model_of(values) != MODEL:
        raise FacelmkError(
            f'{path}: model.type is {model_of(values) or "missing"}. Expected {MODEL}, a config of MMPose 1.x. facelmk '
            'config show prints any other config'
        )
    config = translate(dict(values), source)
    check(Config(config, filename=str(path)), source)
    return config_text(config, f'Translated from the MMPose config {path.name}.')


def config_text(values: Values, title: str) -> str:
    """The text of a config file that has these values."""
    name, base = _most_similar(values)
    lines = [f'"""{title}"""', '', 'from mmengine.config import read_base', '', 'with read_base():']
    lines += [f'    from facelmk.configs.{name} import *', '']
    lines += ['del result  # the figures of published weights', *_changes(base, values)]
    return '\n'.join(lines) + '\n'


def _most_similar(values: Values) -> tuple[str, Values]:
    """The config of facelmk with the fewest values that differ."""
    bases = {name: _base(name) for name in sorted({*MMPOSE_1.values(), *MMPOSE_0.values()})}
    name = min(bases, key=lambda name: len(differences(bases[name], values)))
    return name, bases[name]


def _base(name: str) -> Values:
    values: Values = plain(evaluate(read_source(config_folder() / f'{name}.py')))
    return {key: value for key, value in values.items() if key not in NOT_OURS}


def _changes(base: Values, values: Values) -> Iterator[str]:
    for key in base:
        if key not in values:
            yield f'del {key}'
    for key, value in values.items():
        lines = None if key not in base else _change(base[key], value, key, TOP_REGISTRIES.get(key))
        if lines is None:
            yield f'{key} = {literal(value, len(key) + 3)}'
        else:
            yield from lines


def _change(a: Any, b: Any, place: str, registry: Registry | None) -> list[str] | None:
    """Statements that turn the value `a` at `place` into `b`; None where all of it must be replaced."""
    if isinstance(a, dict) and isinstance(b, dict) and kind(a) == kind(b):
        return _change_dict(a, b, place, registry)
    if dicts(a) and dicts(b) and len(a) == len(b):
        rows = [_change(one, other, f'{place}[{i}]', registry) for i, (one, other) in enumerate(zip(a, b, strict=True))]
        return None if None in rows else [line for lines in rows for line in lines or ()]
    return [] if same(a, b) else None


def _change_dict(a: Values, b: Values, place: str, registry: Registry | None) -> list[str]:
    lines, short = [], {}
    for key in (*b, *(key for key in a if key not in b)):
        before, after = (value_of(part, key, place, registry) for part in (a, b))
        changes = _change(before, after, _below(place, key), INNER_REGISTRIES.get(key, registry))
        if changes is not None:
            lines += changes
        elif key not in b:
            lines.append(f'del {place}[{key!r}]')
        elif isinstance(b[key], (dict, list, tuple)) or not key.isidentifier():
            lines.append(f'{_below(place, key)} = {literal(b[key], len(_below(place, key)) + 3)}')
        else:
            short[key] = b[key]
    update = f'{place}.update({", ".join(f"{key}={value!r}" for key, value in short.items())})'
    return [update, *lines] if short else lines


def _below(place: str, key: str) -> str:
    """The expression of a key, as an attribute where mmengine's dicts have no method of that name."""
    return f'{place}.{key}' if key.isidentifier() and not hasattr(ConfigDict, key) else f'{place}[{key!r}]'


def literal(value: Any, indent: int = 0, depth: int = 0) -> str:
    """A value as Python, in one line if it is short enough."""
    text = _one_line(value)
    if len(text) + indent <= WIDTH or not isinstance(value, (dict, list, tuple)) or not value:
        return text
    space = '    ' * (depth + 1)
    if isinstance(value, dict):
        names = all(isinstance(key, str) and key.isidentifier() for key in value)
        words = [f'{key}=' if names else f'{key!r}: ' for key in value]
        opening, closing = ('dict(', ')') if names else '{}'
    else:
        words, (opening, closing) = [''] * len(value), '[]' if isinstance(value, list) else '()'
    items = value.values() if isinstance(value, dict) else value
    rows = [
        f'{space}{word}{literal(item, len(space) + len(word) + 1, depth + 1)},'
        for word, item in zip(words, items, strict=True)
    ]
    return '\n'.join([opening, *rows, '    ' * depth + closing])


def _one_line(value: Any) -> str:
    if isinstance(value, dict):
        if value and all(isinstance(key, str) and key.isidentifier() for key in value):
            return f'dict({", ".join(f"{key}={_one_line(item)}" for key, item in value.items())})'
        return '{' + ', '.join(f'{key!r}: {_one_line(item)}' for key, item in value.items()) + '}'
    if isinstance(value, list):
        return f'[{", ".join(map(_one_line, value))}]'
    if isinstance(value, tuple):
        return f'({", ".join(map(_one_line, value))}{"," if len(value) == 1 else ""})'
    return repr(value)
