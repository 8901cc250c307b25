"""Which room may import which, read from the syntax trees of all files.

A room is a folder or module directly below facelmk/; an arrow leads from a module to one that it imports.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALWAYS_ALLOWED = {'errors', ''}  # '' is facelmk/__init__.py, which holds the version
GROUND = {'registry', 'markups', 'geometry'}
MIDDLE = {'codecs', 'datasets', 'synthetic', 'models', 'metrics', 'config', 'checkpoint', 'files'}
UPPER = {'engine', 'inference', 'faces', 'report', 'export'}
MAY_IMPORT = {
    'errors': set(),
    '': {'errors'},
    'registry': set(),
    'markups': set(),
    'geometry': set(),
    'files': {'registry'},
    'config': GROUND | {'files'},
    'checkpoint': GROUND | {'files'},
    'codecs': GROUND,
    'datasets': GROUND | {'files'},
    'synthetic': GROUND | {'files', 'datasets'},
    'models': GROUND | {'codecs'},
    'metrics': {'registry', 'markups'},
    'zoo': {'registry', 'files', 'config', 'checkpoint'},
    **dict.fromkeys(UPPER, GROUND | MIDDLE | {'zoo'} | UPPER),
    'own_data': GROUND | MIDDLE | {'zoo'} | UPPER,
    'bench': GROUND | MIDDLE | {'zoo'} | UPPER,
    'serve': GROUND | MIDDLE | {'zoo'} | UPPER,
}
OUTER = {'cli', 'compat'}  # may import everything; no other room imports them


def modules(root: Path) -> dict[str, Path]:
    """All modules of the package: {dotted name: path}."""
    paths = {}
    for path in sorted((root / 'facelmk').rglob('*.py')):
        parts = path.relative_to(root).with_suffix('').parts
        paths['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    return paths


def imported(path: Path, module: str) -> Iterator[tuple[str, str | None]]:
    """Yield (module, imported name or None) of each import statement, also of those inside functions."""
    package = module.split('.') if path.stem == '__init__' else module.split('.')[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            base = '.'.join(parents + ([node.module] if node.module else []))
            yield from ((base, alias.name) for alias in node.names)


def for_type_checkers(path: Path) -> Iterator[str]:
    """Yield the names that are imported below `if TYPE_CHECKING`."""
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING':
            yield from (alias.name for part in node.body if isinstance(part, ast.ImportFrom) for alias in part.names)


def arrows(root: Path) -> set[tuple[str, str]]:
    """All pairs (module, module that it imports) within the package."""
    known = modules(root)
    pairs = set()
    for module, path in known.items():
        typed = set(for_type_checkers(path)) if module == 'facelmk' else set()  # `facelmk.load`: never executed
        for base, name in imported(path, module):
            if name in typed:
                continue
            target = f'{base}.{name}' if f'{base}.{name}' in known else base
            if target.split('.')[0] == 'facelmk':
                pairs.add((module, target))
    return pairs


def room(module: str) -> str:
    """The room of a module; '' for facelmk/__init__.py."""
    return [*module.split('.'), ''][1]


def forbidden(root: Path) -> list[str]:
    """The arrows between rooms that MAY_IMPORT does not allow."""
    arrows_not_allowed = []
    for module, target in sorted(arrows(root)):
        importer, imported_room = room(module), room(target)
        allowed = MAY_IMPORT.get(importer, set()) | ALWAYS_ALLOWED | {importer}
        if importer not in OUTER and imported_room not in allowed:
            arrows_not_allowed.append(f'{module} -> {target}')
    return arrows_not_allowed


def circles(edges: set[tuple[str, str]]) -> set[str]:
    """The names on a circle, or on a way to one: repeatedly remove each name that imports no remaining name."""
    remaining = {name for edge in edges for name in edge}
    while True:
        importing = {a for a, b in edges if a in remaining and b in remaining and a != b}
        if importing == remaining:
            return remaining
        remaining = importing


def test_all_arrows_are_allowed() -> None:
    assert forbidden(ROOT) == []


def test_every_room_is_known() -> None:
    assert {room(name) for name in modules(ROOT)} <= set(MAY_IMPORT) | OUTER


def test_no_circles_among_modules() -> None:
    assert circles(arrows(ROOT)) == set()


def test_no_circles_among_rooms() -> None:
    assert circles({(room(a), room(b)) for a, b in arrows(ROOT)}) == set()


def test_errors_are_imported_from_their_own_module() -> None:
    """`registry` and the package itself re-export errors for users; our own modules do not use that."""
    errors = {node.name for node in ast.parse((ROOT / 'facelmk/errors.py').read_text()).body if hasattr(node, 'name')}
    for module, path in modules(ROOT).items():
        for base, name in imported(path, module):
            assert name not in errors or base == 'facelmk.errors', f'{module} imports {name} from {base}'


def test_datasets_models_and_metrics_never_import_one_another() -> None:
    separate = {'datasets', 'models', 'metrics'}
    assert [(a, b) for a, b in arrows(ROOT) if room(a) in separate and room(b) in separate - {room(a)}] == []


def test_mmcv_ops_is_never_imported() -> None:
    """mmcv-lite has no mmcv.ops."""
    for module, path in modules(ROOT).items():
        for base, name in imported(path, module):
            assert not f'{base}.{name}'.startswith('mmcv.ops'), module


def test_the_package_never_imports_tools_configs_or_tests() -> None:
    for module, path in modules(ROOT).items():
        for base, _ in imported(path, module):
            assert base.split('.')[0] not in {'tools', 'configs', 'tests'}, module
    for path in (ROOT / 'tools').glob('*.py'):
        for base, _ in imported(path, path.stem):
            assert base.split('.')[0] != 'tests', path


def test_test_modules_never_import_one_another() -> None:
    """What several test modules need lies in tests/helpers, or beside them in a module that is no test."""
    for path in (ROOT / 'tests').rglob('*.py'):
        for base, name in imported(path, path.stem):
            parts = {*base.split('.'), name or ''}
            assert not any(part.startswith('test_') or part == 'conftest' for part in parts), f'{path}: {base}.{name}'


def make_package(root: Path, **files: str) -> Path:
    """Write a small package: the keyword `a__b` is the file a/b.py, `package` is __init__.py."""
    for name, source in files.items():
        path = root / 'facelmk' / f'{name.replace("__", "/").replace("package", "__init__")}.py'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return root


@pytest.mark.parametrize(
    'files',
    [
        dict(metrics__nme='from ..datasets import base', datasets__base=''),
        dict(models__a='def late():\n    import facelmk.metrics.nme', metrics__nme=''),
        dict(registry='from . import markups', markups=''),
        dict(engine__run='from ..cli import main', cli__main=''),
        dict(package='from .registry import did_you_mean', registry=''),
        dict(errors='from .geometry import apply', geometry=''),
        dict(metrics__a='from ..geometry import apply', geometry=''),
    ],
)
def test_a_forbidden_arrow_is_found(tmp_path: Path, files: dict[str, str]) -> None:
    assert len(forbidden(make_package(tmp_path, **files))) == 1


def test_allowed_arrows_pass(tmp_path: Path) -> None:
    root = make_package(
        tmp_path,
        registry='',
        geometry='',
        errors='',
        codecs__a='from .. import geometry\nimport numpy',
        models__a='from ..codecs.a import b\nfrom ..errors import x',
        engine__a='from ..models import a\nfrom .. import __version__',
        cli__a='from ..engine.a import x\nfrom . import b',
        cli__b='',
        faces='from .geometry import apply',
    )
    assert forbidden(root) == [] and circles(arrows(root)) == set()


def test_a_circle_is_found(tmp_path: Path) -> None:
    root = make_package(
        tmp_path,
        models__a='from . import b',
        models__b='from .c import x',
        models__c='from .a import y',
        models__d='from .a import z',
    )
    assert {'facelmk.models.a', 'facelmk.models.b', 'facelmk.models.c'} <= circles(arrows(root))
