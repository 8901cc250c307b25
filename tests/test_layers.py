"""Who may import whom: every arrow of the package is read from its syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BELOW = {'errors', ''}  # the errors, and the package itself: its version and the errors again
GROUND = {'registry', 'markups', 'geometry'}
MIDDLE = {'codecs', 'datasets', 'synthetic', 'models', 'metrics', 'config', 'checkpoint', 'files'}
UPPER = {'engine', 'inference', 'faces', 'report'}
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
    **dict.fromkeys(UPPER, GROUND | MIDDLE | UPPER),
}
OUTER = {'cli', 'compat'}  # may import everything; nothing imports them


def modules(root: Path) -> dict[str, Path]:
    """Every module of the package, by its dotted name."""
    names = {}
    for path in sorted((root / 'facelmk').rglob('*.py')):
        parts = path.relative_to(root).with_suffix('').parts
        names['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    return names


def imported(path: Path, module: str) -> Iterator[tuple[str, str | None]]:
    """(module, name taken from it or None) of each import statement, in functions too."""
    package = module.split('.') if path.stem == '__init__' else module.split('.')[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = '.'.join(above + ([node.module] if node.module else []))
            yield from ((base, alias.name) for alias in node.names)


def arrows(root: Path) -> set[tuple[str, str]]:
    """(module, module that it imports), both of the package."""
    known = modules(root)
    found = set()
    for module, path in known.items():
        for base, name in imported(path, module):
            target = f'{base}.{name}' if f'{base}.{name}' in known else base
            if target.split('.')[0] == 'facelmk':
                found.add((module, target))
    return found


def room(module: str) -> str:
    """The part of the package that a module lies in; '' for the package itself."""
    return [*module.split('.'), ''][1]


def forbidden(root: Path) -> list[str]:
    """The arrows between rooms that the layers do not allow."""
    bad = []
    for source, target in sorted(arrows(root)):
        here, there = room(source), room(target)
        if here != there and here not in OUTER and there not in MAY_IMPORT.get(here, set()) | BELOW:
            bad.append(f'{source} -> {target}')
    return bad


def circles(edges: set[tuple[str, str]]) -> set[str]:
    """What is left when everything that imports nothing of the rest is taken away, again and again."""
    left = {name for edge in edges for name in edge}
    while True:
        busy = {a for a, b in edges if a in left and b in left and a != b}
        if busy == left:
            return left
        left = busy


def test_only_allowed_arrows() -> None:
    assert forbidden(ROOT) == []


def test_every_room_is_known() -> None:
    assert {room(name) for name in modules(ROOT)} <= set(MAY_IMPORT) | OUTER


def test_no_circles_among_modules() -> None:
    assert circles(arrows(ROOT)) == set()


def test_no_circles_among_rooms() -> None:
    assert circles({(room(a), room(b)) for a, b in arrows(ROOT)}) == set()


def test_errors_are_imported_from_their_own_module() -> None:
    """One place for each error: `registry` and the package itself are not a second way to them."""
    errors = {node.name for node in ast.parse((ROOT / 'facelmk/errors.py').read_text()).body if hasattr(node, 'name')}
    for module, path in modules(ROOT).items():
        for base, name in imported(path, module):
            assert name not in errors or base == 'facelmk.errors', f'{module} imports {name} from {base}'


def test_middle_rooms_never_meet() -> None:
    """Said once more in words: data sets, models and metrics know nothing of one another."""
    apart = {'datasets', 'models', 'metrics'}
    meetings = [(a, b) for a, b in arrows(ROOT) if room(a) in apart and room(b) in apart - {room(a)}]
    assert meetings == []


def test_mmcv_ops_is_never_imported() -> None:
    """mmcv-lite has none; and no network of faces needs any."""
    for module, path in modules(ROOT).items():
        for base, name in imported(path, module):
            assert not f'{base}.{name}'.startswith('mmcv.ops'), module


def test_tools_and_configs_import_the_package_and_not_the_other_way() -> None:
    for module, path in modules(ROOT).items():
        for base, _ in imported(path, module):
            assert base.split('.')[0] not in {'tools', 'configs', 'tests'}, module
    for path in (ROOT / 'tools').glob('*.py'):
        for base, _ in imported(path, path.stem):
            assert base.split('.')[0] != 'tests', path


def house(root: Path, **files: str) -> Path:
    """A small package with the given source in each file; `a__b` is a/b.py, `package` the __init__."""
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
def test_a_wrong_arrow_is_found(tmp_path: Path, files: dict[str, str]) -> None:
    assert len(forbidden(house(tmp_path, **files))) == 1


def test_right_arrows_pass(tmp_path: Path) -> None:
    root = house(
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
    root = house(
        tmp_path,
        models__a='from . import b',
        models__b='from .c import x',
        models__c='from .a import y',
        models__d='from .a import z',
    )
    assert {'facelmk.models.a', 'facelmk.models.b', 'facelmk.models.c'} <= circles(arrows(root))
