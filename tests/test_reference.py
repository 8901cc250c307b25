"""The reference of the site: every public name and every option of the command line has an entry, made from the code."""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from facelmk import cli

ROOT = Path(__file__).parents[1]
SNAPSHOT = ROOT / 'tests/data/public_names.txt'


@pytest.fixture(scope='module', autouse=True)
def docs_on_the_path() -> None:
    sys.path.insert(0, str(ROOT / 'docs'))
    yield
    sys.path.remove(str(ROOT / 'docs'))


@pytest.fixture(scope='module')
def names() -> ModuleType:
    return importlib.import_module('public_names')


@pytest.fixture(scope='module')
def pages() -> dict[str, str]:
    return importlib.import_module('make_reference').pages()


def documented(pages: dict[str, str]) -> set[str]:
    """The dotted names that the pages document."""
    text = '\n'.join(pages.values())
    constants = re.findall(r'^\.\. py:data:: (\S+)\n   :module: (\S+)', text, re.M)
    return {*re.findall(r'^\.\. auto(?:class|function):: (\S+)', text, re.M)} | {f'{b}.{a}' for a, b in constants}


def imported_in_docs() -> set[tuple[str, str]]:
    """Module and name of each import from facelmk in a Python block of README.md or docs/."""
    found = set()
    for page in [ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')]:
        for code in re.findall(r'^```python\n(.*?)^```', page.read_text(encoding='utf-8'), re.M | re.S):
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('facelmk.'):
                    found |= {(node.module, alias.name) for alias in node.names}
    return {(module, name) for module, name in found if not module.startswith('facelmk.configs')}


def test_names_that_the_docs_import_are_in_the_reference(names: ModuleType, pages: dict[str, str]) -> None:
    assert len(imported_in_docs()) > 20
    for module, name in imported_in_docs():
        value = getattr(importlib.import_module(module), name)
        address = f'{module}.{name}' if names.is_constant(value) else names.address_of(value)
        assert address in documented(pages), f'from {module} import {name}'


def test_every_name_in_all_is_in_the_reference(names: ModuleType, pages: dict[str, str]) -> None:
    """The lists are read from the source, so a package that the reference overlooks is noticed."""
    for path in (ROOT / 'facelmk').rglob('__init__.py'):
        module = '.'.join(path.relative_to(ROOT).parent.parts)
        public = getattr(importlib.import_module(module), '__all__', ())
        for name in set(public) - {'__version__'}:
            value = getattr(importlib.import_module(module), name)
            address = f'{module}.{name}' if names.is_constant(value) else names.address_of(value)
            assert address in documented(pages), f'{module}.{name}'


def test_every_registered_part_is_in_the_reference(names: ModuleType, pages: dict[str, str]) -> None:
    from facelmk import registry

    table = pages['reference/api/parts.rst']
    for kind in ('BACKBONES', 'HEADS', 'LOSSES', 'CODECS', 'DATASETS', 'TRANSFORMS', 'METRICS', 'DETECTORS', 'HOOKS'):
        for name, part in getattr(registry, kind).module_dict.items():
            if part.__module__.startswith('facelmk.'):
                assert names.address_of(part) in documented(pages) and f':py:obj:`{name} <' in table, name


def test_every_public_name_has_a_docstring(names: ModuleType) -> None:
    missing = []
    for address, value in names.addresses().items():
        if names.is_constant(value):
            continue
        own = value.__doc__ if inspect.isclass(value) else inspect.getdoc(value)
        missing += [] if own else [address]
        if inspect.isclass(value):
            methods = names.methods_of(value)
            missing += [f'{address}.{name}' for name in methods if not inspect.getdoc(getattr(value, name))]
    assert not missing


def test_public_names_stay(names: ModuleType) -> None:
    """The list holds the names of the last release: a name may be added, but is not removed without notice.

    `python tests/test_reference.py` writes the list anew, for a release.
    """
    listed = SNAPSHOT.read_text().split()
    assert len(listed) > 250
    gone = [
        name
        for name in listed
        if not hasattr(importlib.import_module(name.rpartition('.')[0]), name.rpartition('.')[2])
    ]
    assert not gone


@pytest.mark.parametrize('verb', cli.VERBS)
def test_every_option_is_in_the_reference(verb: str, pages: dict[str, str], capsys: pytest.CaptureFixture) -> None:
    """The page of a verb has the options that its real help prints, actions included."""
    page = pages[f'reference/commands/{verb}.rst']
    actions = re.findall(rf'^facelmk {verb} (\w+)$', page, re.M)
    helps = [help_of([verb, *words], capsys) for words in [[], *([action] for action in actions)]]
    listed = re.search(r'^  ACTION\n((?: {4}\w.*\n(?: {5,}.*\n)*)+)', helps[0], re.M)
    assert set(actions) == set(re.findall(r'^ {4}(\w+)', listed[1], re.M) if listed else ())
    options = {option for text in helps for option in re.findall(r'^  (?:-\w, )?(--[a-z][\w-]*)', text, re.M)}
    assert options - {'--help'} == set(re.findall(r'^\.\. option:: (?:-\w, |-\w \S+, )?(--[a-z][\w-]*)', page, re.M))


def help_of(words: list[str], capsys: pytest.CaptureFixture) -> str:
    with pytest.raises(SystemExit):
        cli.main([*words, '--help'])
    return capsys.readouterr().out


def test_exit_codes_are_in_the_reference(pages: dict[str, str]) -> None:
    assert re.findall(r'^   \* - (\d)$', pages['reference/commands/index.rst'], re.M) == list('012345')


def test_the_contents_name_every_page() -> None:
    """Pages below docs/ that index.md does not name are added by conf.py; those in folders must be named."""
    index = (ROOT / 'docs/index.md').read_text(encoding='utf-8')
    assert re.search(r'^other-pages$', index, re.M)
    named = set(re.findall(r'^([\w/]+)$', index, re.M))
    assert {f'tutorials/{path.stem}' for path in (ROOT / 'docs/tutorials').glob('*.md')} <= named
    made = {'reference/api/index', 'reference/commands/index'}
    for name in named - made:
        page = name.removeprefix('project/')
        assert (ROOT / f'docs/{name}.md').is_file() or page in importlib.import_module('project_pages').FILES.values()


def test_links_to_files_of_the_clone_lead_to_their_pages() -> None:
    relinked = importlib.import_module('project_pages').relinked
    assert relinked('[a](docs/data.md#scenes)', 'CHANGELOG.md') == '[a](../data.md#scenes)'
    assert relinked('[a](SECURITY.md)', 'CHANGELOG.md') == '[a](security.md)'
    assert relinked('[a](../docs/scores.md)', 'zoo/README.md') == '[a](../scores.md)'
    assert relinked('[a](LICENSE) [b](https://semver.org)', 'README.md') == '[a](../../LICENSE) [b](https://semver.org)'


@pytest.mark.slow
@pytest.mark.skipif(find_spec('furo') is None, reason='Sphinx and furo are not installed: make docs')
def test_the_site_builds_without_a_warning_and_has_every_name(names: ModuleType, tmp_path: Path) -> None:
    command = [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-b', 'html', 'docs', str(tmp_path)]
    environment = os.environ | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    for address in names.addresses():
        page = tmp_path / f'reference/api/{address.rpartition(".")[0]}.html'
        assert f'id="{address}"' in page.read_text(encoding='utf-8'), address
    for page in tmp_path.rglob('*.html'):
        loaded = re.findall(
            r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', page.read_text(encoding='utf-8')
        )
        assert not loaded, f'{page.name} needs a network: {loaded}'


if __name__ == '__main__':
    sys.path.insert(0, str(ROOT / 'docs'))
    SNAPSHOT.write_text('\n'.join(sorted(importlib.import_module('public_names').addresses())) + '\n')
