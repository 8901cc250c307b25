"""Configs that are data and nothing else: read as syntax before anything of them is run, all bases included.

What may stand in a file: literals, names of the config, arithmetic, comprehensions, dict(...), `read_base` imports of
other configs, `_base_`, assignments, `del` and `.update(...)`. Everything else is refused by file and line. The types
that the parts name must stand in a registry: a dotted name would be imported from wherever it lies. What takes too long
or too much memory to read (9**9**9, lists of lists of lists) is found out in a child process.
"""

import ast
import builtins
import copy
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml
from mmengine import ConfigDict
from mmengine.registry import Registry

from .. import registry as registries
from ..errors import FacelmkError, did_you_mean
from .folders import config_folder

# fmt: off
PLAIN: tuple[type[ast.AST], ...] = (
    ast.Module, ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete, ast.Pass, ast.Constant, ast.Name,
    ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.keyword, ast.Dict, ast.List, ast.Tuple, ast.Set,
    ast.ListComp, ast.DictComp, ast.SetComp, ast.comprehension, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.IfExp, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context, ast.withitem, ast.alias)
# fmt: on
METHODS = {'update', 'items', 'keys', 'values'}  # those of a dict that a config may call
CALLED = {'dict', 'read_base'}
SCOPES = {'facelmk', 'mmengine'}
NAMING = {
    'type',
    'ema_type',
    'constructor',
    'runner_type',
}  # the keys whose value is looked up in a registry, or imported
SECONDS, MEMORY = 5, 2**30  # that reading a config may take
_PUT_IN = re.compile(r'\{\{(?!\s*_base_[.\w]*\s*\}\})')  # mmengine writes into the text what stands in double braces


def check_safe(path: Path, seen: frozenset[Path] = frozenset()) -> None:
    """Refuse a config file that holds more than data, or one of whose bases does."""
    path = Path(path)
    if path.resolve() in seen:
        return  # a circle is told by whoever reads the config
    text = path.read_text(encoding='utf-8')
    if found := _PUT_IN.search(text):
        _refuse(path, text.count('\n', 0, found.start()) + 1, 'a value that is put into the text before it is read')
    bases = list(_bases(path, text))
    for line, base in bases:
        if not base.is_file():
            raise FacelmkError(f'{path}:{line}: the config is based on {base}, which is not there')
        check_safe(base, seen | {path.resolve()})


def try_out(read: Callable[[], Mapping[str, Any]], path: Path) -> None:
    """Read a config in a child process first, and refuse it if that takes too long or too much memory."""
    if not hasattr(os, 'fork'):
        return
    child = os.fork()
    if not child:
        os._exit(_within_limits(read))
    if os.waitpid(child, 0)[1]:
        raise FacelmkError(
            f'{path}: reading it takes more than {SECONDS} s or {MEMORY >> 30} GiB, and --safe-config '
            'allows no more. Write smaller values, or trust the file and leave --safe-config out'
        )


def _within_limits(read: Callable[[], Mapping[str, Any]]) -> int:
    """What the child ends with: 0, or 1 for want of memory; the system ends it where it takes too long."""
    import resource  # there is none on Windows, which has no fork either

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sizes = Path('/proc/self/statm')
    if sizes.is_file():
        most = int(sizes.read_text().split()[0]) * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        copy.deepcopy(read())
    except MemoryError:
        return 1
    except BaseException as error:  # told where the file is read in earnest
        return int(isinstance(error.__cause__, MemoryError))
    return 0


def check_parts(value: Any, source: str | Path, place: str = '') -> None:
    """Refuse parts of a read config that are not on our or mmengine's registries: their modules would be imported."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            where = f'{place}.{key}' if place else str(key)
            if key == 'custom_imports':
                raise FacelmkError(f'{source}: {where} would import code; --safe-config takes configs that are data')
            if key in NAMING and not place.endswith('clip_grad'):  # whose types are 'norm' and 'value'
                _check_type(child, source, where)
            elif key in ('_scope_', 'default_scope') and child not in SCOPES:
                raise FacelmkError(
                    f'{source}: {where}={child!r} would import that package; --safe-config knows '
                    f'{" and ".join(sorted(SCOPES))}'
                )
            check_parts(child, source, where)
    elif isinstance(value, (list, tuple)):
        for i, child in enumerate(value):
            check_parts(child, source, f'{place}[{i}]')


def _check_type(kind: Any, source: str | Path, where: str) -> None:
    scope, _, name = kind.rpartition('.') if isinstance(kind, str) else ('', '', None)
    if name is None or scope not in SCOPES | {''} or name not in _registered():
        raise FacelmkError(
            f'{source}: {where}={kind!r} is no registered part, and --safe-config imports none. '
            f'{did_you_mean(str(name), _registered())}'
        )


def _registered() -> set[str]:
    """The names in all registries and on mmengine's below them."""
    names: set[str] = set()
    for registry in vars(registries).values():
        if isinstance(registry, Registry):
            names |= set(registry.module_dict) | set(registry.parent.module_dict if registry.parent is not None else ())
    return names


def _bases(path: Path, text: str) -> Iterator[tuple[int, Path]]:
    """Line and file of each base; refuses what is not data on the way."""
    if path.suffix in ('.yaml', '.yml', '.json'):
        yield from _bases_of_data(path, text)
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FacelmkError(
            f'{path}:{getattr(error, "lineno", None) or 1}: this is no Python that can be read: {error}'
        ) from error
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    imports: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.With):
            yield from _imports(node, path, imports)
        elif isinstance(node, ast.ImportFrom):
            if id(node) not in imports and (node.module, [a.name for a in node.names]) != (
                'mmengine.config',
                ['read_base'],
            ):
                _refuse(path, node.lineno, f'an import from {node.module}')
        elif wrong := _wrong(node, called):
            _refuse(path, getattr(node, 'lineno', 1), wrong)
        if isinstance(node, ast.Assign) and any(getattr(name, 'id', '') == '_base_' for name in node.targets):
            yield from ((node.lineno, base) for base in _strings(node.value, path))


def _bases_of_data(path: Path, text: str) -> Iterator[tuple[int, Path]]:
    try:
        values = yaml.safe_load(text)  # json is yaml, too
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, 'problem_mark', None)
        _refuse(path, mark.line + 1 if mark else 1, f'what plain yaml does not hold ({type(error).__name__})')
    if isinstance(values, dict):
        if 'custom_imports' in values:
            _refuse(path, 1, 'custom_imports')
        given = values.get('_base_', [])
        yield from ((1, _beside(path, str(name), 1)) for name in (given if isinstance(given, list) else [given]))


def _imports(node: ast.With, path: Path, imports: set[int]) -> Iterator[tuple[int, Path]]:
    """The configs that `with read_base():` takes in."""
    calls = [item.context_expr for item in node.items]
    if len(calls) != 1 or node.items[0].optional_vars or ast.unparse(calls[0]) != 'read_base()':
        _refuse(path, node.lineno, 'a `with` other than read_base()')
    for line in node.body:
        if not isinstance(line, ast.ImportFrom):
            _refuse(path, line.lineno, 'something else than an import of a config')
            continue
        if wrong := next((alias.asname for alias in line.names if alias.asname and _forbidden(alias.asname)), None):
            _refuse(path, line.lineno, f'the name {wrong}')
        imports.add(id(line))
        module = (line.module or '').split('.')
        if line.level:
            folder = path.parent.joinpath(*['..'] * (line.level - 1))
        elif module[0] == registries.SCOPE and len(module) > 1:
            folder = config_folder().parent
            module = module[1:]
        else:
            _refuse(path, line.lineno, f'an import from {line.module}')
        yield line.lineno, folder.joinpath(*module).with_suffix('.py')


def _wrong(node: ast.AST, called: set[int]) -> str | None:
    """What makes a piece of syntax more than data; None if nothing does."""
    if isinstance(node, ast.Call):
        return None if _may_be_called(node.func) else f'a call of {ast.unparse(node.func)}'
    if not isinstance(node, PLAIN):
        return f'{type(node).__name__}'
    if isinstance(node, ast.Name):
        if _forbidden(node.id) or (node.id in CALLED and not isinstance(node.ctx, ast.Load)):
            return f'the name {node.id}'
        if isinstance(node.ctx, ast.Load) and id(node) not in called and node.id in CALLED | set(dir(builtins)):
            return f"Python's own {node.id} as a value"
    if isinstance(node, ast.Attribute):
        if node.attr.startswith('_') or node.attr == 'custom_imports':
            return f'the attribute {node.attr}'
        if isinstance(node.ctx, ast.Load) and hasattr(ConfigDict, node.attr) and id(node) not in called:
            return f'the method {node.attr} as a value'
    if isinstance(node, (ast.keyword, ast.Constant)):
        name = node.arg if isinstance(node, ast.keyword) else node.value
        return 'custom_imports' if name == 'custom_imports' else None
    return None


def _forbidden(name: str) -> bool:
    return name.startswith('__') or name == 'custom_imports'


def _may_be_called(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in CALLED
    return isinstance(function, ast.Attribute) and function.attr in METHODS


def _strings(value: ast.expr, path: Path) -> list[Path]:
    """The files of `_base_`, which must be written out."""
    rows = value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]
    names = [row.value if isinstance(row, ast.Constant) and isinstance(row.value, str) else None for row in rows]
    if None in names:
        _refuse(path, value.lineno, 'a _base_ that is not written out')
    return [_beside(path, str(name), value.lineno) for name in names]


def _beside(path: Path, name: str, line: int) -> Path:
    if '::' in name or '://' in name:
        _refuse(path, line, f'a base of another package ({name})')
    return path.parent / name


def _refuse(path: Path, line: int, what: str) -> NoReturn:
    raise FacelmkError(
        f'{path}:{line}: {what} is more than data, which is all that --safe-config takes: literals, '
        'dict(...), arithmetic on names of the config, read_base imports and _base_ of configs, del and '
        '.update(...). Trust the file as you would a script, and leave --safe-config out'
    )
