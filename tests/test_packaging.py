"""The package as users get it: its dependencies, its wheel, the commands of README, CI and workflows."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement

import facelmk

ROOT = Path(__file__).parents[1]
SEVEN = {'torch', 'mmengine', 'mmcv-lite', 'numpy', 'opencv-python', 'xtcocotools', 'json-tricks'}
SUBSTITUTE = {'pycocotools': 'xtcocotools'}  # xtcocotools has no build for Python 3.12 and later
MODULE = {'mmcv-lite': 'mmcv', 'opencv-python': 'cv2', 'json-tricks': 'json_tricks'}
INDIRECT = {'PIL', 'matplotlib', 'packaging', 'rich', 'yaml'}  # mmengine and mmcv-lite depend on them
OPTIONAL = {'h5py', 'scipy', 'tensorboard', 'pycocotools', 'timm', 'onnx', 'onnxscript', 'onnxruntime', 'openvino'}
OPTIONAL |= {'shtab'}  # the scripts of facelmk completion
OPTIONAL |= {'av', 'pandas', 'supervision'}  # films with sound; faces as objects of other packages
OPTIONAL |= {'optuna'}  # facelmk search --sampler tpe
OPTIONAL |= {'mediapipe', 'dlib'}  # face detectors of others
OPTIONAL |= {'mmpose', 'albumentations'}  # what facelmk bench compares with


def requirements(name: str) -> list[Requirement]:
    """The packages in requirements/NAME.txt."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith('#')]


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Run a command, which must succeed, and return its output. It sees neither the clone nor an outer make."""
    hidden = {'PYTHONPATH', 'MAKELEVEL', 'MAKEFLAGS', 'MFLAGS'}
    environment = {key: value for key, value in os.environ.items() if key not in hidden} | variables
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f'{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
    return done.stdout


# -- dependencies


def test_the_runtime_dependencies_are_the_seven_packages() -> None:
    names = {SUBSTITUTE.get(package.name, package.name) for package in requirements('runtime')}
    assert names == SEVEN
    assert (ROOT / 'requirements.txt').read_text().split() == ['-r', 'requirements/runtime.txt']


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12', '3.13'])
def test_one_coco_package_for_each_python(python: str) -> None:
    coco = [package for package in requirements('runtime') if package.name in {'xtcocotools', 'pycocotools'}]
    assert sum(package.marker.evaluate({'python_version': python}) for package in coco) == 1


@pytest.mark.parametrize('python', ['3.11', '3.12'])
def test_pins_are_within_the_required_versions(python: str) -> None:
    pins = {
        pin.name.lower(): pin
        for pin in requirements('constraints')
        if pin.marker is None or pin.marker.evaluate({'python_version': python})
    }
    for package in [*requirements('runtime'), *requirements('tests')]:
        (version,) = re.findall(r'==([\w.]+)', str(pins[package.name.lower()].specifier))
        assert version in package.specifier, package


@pytest.mark.fault('I11')
def test_opencv_5_is_refused_at_installation() -> None:
    """OpenCV 5 warps with differences of up to four grey levels, so the package's metadata excludes it."""
    (opencv,) = [package for package in requirements('runtime') if package.name == 'opencv-python']
    versions = ('5.0.0', '5.0.0.93', '5.1', '6')
    assert not any(opencv.specifier.contains(version, prereleases=True) for version in versions)
    pins = [pin for pin in requirements('constraints') if pin.name == opencv.name]
    assert len(pins) == 2 and all(opencv.specifier.contains(next(iter(pin.specifier)).version) for pin in pins)


def imports(path: Path) -> set[tuple[str, str, bool]]:
    """Each import of a third-party package: (module, name, whether it stands at the top of the file)."""
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    rows = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            rows |= {(alias.name, '', id(node) in top) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            rows |= {(node.module, alias.name, id(node) in top) for alias in node.names}
    return {row for row in rows if row[0].split('.')[0] not in {*sys.stdlib_module_names, 'facelmk'}}


def importers() -> dict[str, set[str]]:
    """For 'mmcv', 'mmcv.transforms' and 'mmcv.transforms.BaseTransform': the rooms of facelmk that import it."""
    rooms = defaultdict(set)
    for path in (ROOT / 'facelmk').rglob('*.py'):
        for module, name, _ in imports(path):
            for dotted in (module.split('.')[0], module, f'{module}.{name}'):
                rooms[dotted].add(path.relative_to(ROOT / 'facelmk').parts[0])
    return rooms


@pytest.mark.parametrize(
    'package, imported, room',
    [
        ('torch', 'torch.nn', 'models'),
        ('mmengine', 'mmengine.runner.Runner', 'engine'),
        ('mmcv-lite', 'mmcv.transforms.BaseTransform', 'datasets'),
        ('numpy', 'numpy', 'geometry.py'),
        ('opencv-python', 'cv2', 'datasets'),
        ('xtcocotools', 'xtcocotools.coco.COCO', 'metrics'),
        ('json-tricks', 'json_tricks', 'report'),
    ],
)
def test_each_of_the_seven_is_used(package: str, imported: str, room: str) -> None:
    assert package in SEVEN
    assert room in importers()[imported]


@pytest.mark.parametrize(
    'room, call',
    [
        ('datasets/transforms', '(BaseTransform)'),  # the base class of our transforms
        ('datasets/transforms', 'cv2.warpAffine('),
        ('metrics', 'COCO('),  # the index of a data set
        ('metrics', 'COCOeval('),  # keypoint AP
        ('report', 'json_tricks.dumps('),  # writes results
    ],
)
def test_each_package_does_its_work_in_its_room(room: str, call: str) -> None:
    assert any(call in path.read_text() for path in (ROOT / 'facelmk' / room).rglob('*.py'))


def test_nothing_else_is_imported() -> None:
    allowed = {MODULE.get(name, name) for name in SEVEN} | INDIRECT
    for path in (ROOT / 'facelmk').rglob('*.py'):
        for module, _, top in imports(path):
            package = module.split('.')[0]
            assert package in allowed or (package in OPTIONAL and not top), f'{path}: {module}'


def test_annotations_are_never_read_with_json_tricks() -> None:
    """json_tricks imports any module that the file it reads names."""
    for path in (ROOT / 'facelmk').rglob('*.py'):
        assert not re.search(r'json_tricks\.loads?\(|from json_tricks import', path.read_text()), path


# -- import time


def loaded_after(code: str) -> set[str]:
    """Which heavy packages are loaded after this Python code has run."""
    names = ('torch', 'mmengine', 'numpy', 'cv2', 'mmcv', 'scipy', 'matplotlib', 'h5py', 'xtcocotools', 'json_tricks')
    report = f'import sys\nprint("LOADED", *(set({names!r}) & sys.modules.keys()))'
    printed = run(sys.executable, '-c', f'{code}\n{report}', cwd=ROOT)
    return set(printed.rpartition('LOADED')[2].split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after('import facelmk') == set()


def test_help_loads_no_torch() -> None:
    code = 'from facelmk.cli import main\ntry: main(["--help"])\nexcept SystemExit: pass'
    assert loaded_after(code) <= {'mmengine', 'numpy'}


def test_the_registry_loads_no_torch() -> None:
    assert loaded_after('import facelmk.registry, facelmk.markups, facelmk.geometry') <= {'mmengine', 'numpy'}


# -- the wheel


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made from the source archive of a copy of the clone; the clone itself does not change."""
    folder = tmp_path_factory.mktemp('wheel')
    source = folder / 'source'
    caches = shutil.ignore_patterns('__pycache__', '.*_cache')
    for name in ('facelmk', 'configs', 'requirements'):
        shutil.copytree(ROOT / name, source / name, ignore=caches)
    for name in (
        'setup.py',
        'pyproject.toml',
        'MANIFEST.in',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'CITATION.cff',
        'requirements.txt',
    ):
        shutil.copy(ROOT / name, source)
    run(sys.executable, 'setup.py', '-q', 'sdist', '-d', folder, cwd=source)
    with tarfile.open(folder / f'facelmk-{facelmk.__version__}.tar.gz') as archive:
        archive.extraction_filter = getattr(tarfile, 'data_filter', None)  # of Python 3.11.4 and later
        archive.extractall(folder)
    run(
        sys.executable,
        '-m',
        'pip',
        'wheel',
        '-q',
        '--no-deps',
        '--no-build-isolation',
        '-w',
        folder,
        folder / f'facelmk-{facelmk.__version__}',
        cwd=folder,
    )
    return next(folder.glob('*.whl'))


@pytest.fixture(scope='module')
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a new environment that holds the wheel and borrows all other packages from this one."""
    venv = tmp_path_factory.mktemp('home') / 'venv'
    run(sys.executable, '-m', 'venv', '--without-pip', venv, cwd=venv.parent)
    python = venv / 'bin' / 'python'
    run(
        sys.executable,
        '-m',
        'pip',
        '--python',
        python,
        'install',
        '-q',
        '--no-deps',
        '--no-index',
        wheel,
        cwd=venv.parent,
    )
    site = run(python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))', cwd=venv.parent).strip()
    folders = {
        sysconfig.get_path('purelib'),
        sysconfig.get_path('platlib'),
        *(str(Path(importlib.util.find_spec(name).origin).parents[1]) for name in ('torch', 'mmengine', 'numpy')),
    }
    # addsitedir also reads .pth files: with one of them setuptools provides distutils on Python 3.12
    Path(site, 'borrowed.pth').write_text(
        ''.join(f'import site; site.addsitedir({path!r})\n' for path in sorted(folders))
    )
    return venv / 'bin'


def files_of(folder: str) -> set[str]:
    """All files below a folder of the clone, as paths relative to that folder."""
    paths = (path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob('*') if path.is_file())
    return {path.as_posix() for path in paths if not re.search(r'__pycache__|_cache/', path.as_posix())}


def test_the_wheel_holds_every_file_and_config(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f'facelmk/{file}' for file in files_of('facelmk')} <= names
    assert {f'facelmk/configs/{file}' for file in files_of('configs')} <= names
    assert 'facelmk/py.typed' in names and 'facelmk/configs/_base_/runtime.py' in names
    assert {name.split('/')[0] for name in names} == {'facelmk', f'facelmk-{facelmk.__version__}.dist-info'}


def test_the_wheel_holds_the_shipped_weights_and_stays_small(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {'facelmk/zoo/index.json', 'facelmk/zoo/facelmk_nano.pth'} <= names
    assert not any('lfpw.pth' in name for name in names)  # for research only, so not under the licence of the wheel
    assert wheel.stat().st_size <= 8_000_000


def test_an_installed_facelmk_predicts_without_network(installed: Path, tmp_path: Path) -> None:
    code = (
        'import facelmk, numpy\nmodel = facelmk.load(device="cpu")\n'
        'print(model(numpy.zeros((120, 120, 3), numpy.uint8), "full")[0].landmarks.shape, model.config.filename)'
    )
    printed = run(installed / 'python', '-c', code, cwd=tmp_path, FACELMK_OFFLINE='1', FACELMK_HOME=str(tmp_path))
    assert '(98, 2)' in printed and str(installed.parent) in printed


def test_an_installed_facelmk_finds_its_configs(installed: Path, tmp_path: Path) -> None:
    code = (
        'import facelmk\nfrom facelmk.config import config_folder, config_names\n'
        'print(facelmk.__file__, config_folder(), *config_names(), sep="\\n")'
    )
    module, folder, *names = run(installed / 'python', '-c', code, cwd=tmp_path).split()
    assert str(installed.parent) in module and str(installed.parent) in folder
    assert names == sorted(path.stem for path in (ROOT / 'configs').glob('*.py'))


def test_the_installed_command_prints_its_version(installed: Path, tmp_path: Path) -> None:
    assert run(installed / 'facelmk', '--version', cwd=tmp_path).strip() == facelmk.__version__


def test_a_users_config_inherits_from_an_installed_one(installed: Path, tmp_path: Path) -> None:
    (tmp_path / 'mine.py').write_text(
        'from mmengine.config import read_base\nwith read_base():\n'
        '    from facelmk.configs.quickstart import *\nmodel.flip_test = False\n'
    )
    shown = run(installed / 'facelmk', 'config', 'show', 'mine.py', cwd=tmp_path)
    assert 'flip_test=False' in shown and "type='QuickNet'" in shown


def test_an_epoch_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    run(
        installed / 'facelmk',
        'train',
        'quickstart',
        '--cfg-options',
        'train_dataloader.dataset.count=32',
        'val_dataloader.dataset.count=10',
        'train_dataloader.batch_size=8',
        'train_dataloader.num_workers=0',
        'val_dataloader.num_workers=0',
        'train_cfg.max_epochs=1',
        'train_dataloader.dataset.pipeline.1.size=64',
        'val_dataloader.dataset.pipeline.1.size=64',
        cwd=tmp_path,
        OMP_NUM_THREADS='1',
    )
    assert list((tmp_path / 'work_dirs/quickstart').glob('best_NME_epoch_1.pth'))


# -- the commands of the README, of CI and of the workflows


def make(*words: str) -> str:
    """The commands that make would run."""
    return run('make', '-n', *words, cwd=ROOT)


def make_targets() -> set[str]:
    return set(re.findall(r'^([\w-]+):(?!=)', (ROOT / 'Makefile').read_text(), re.M))


def readme_commands() -> list[str]:
    """The lines of the README's shell blocks that start make, without their comments."""
    return [line.strip() for line in re.findall(r'^(make [\w-]+)', (ROOT / 'README.md').read_text(), re.M)]


def test_the_commands_of_the_readme_are_in_the_makefile() -> None:
    targets = {command.split()[1] for command in readme_commands()}
    assert {'quickstart', 'test'} <= targets <= make_targets()


def test_ci_checks_the_style_and_ends_with_the_readme_test_command() -> None:
    lines = (ROOT / '.ci/run').read_text().strip().splitlines()
    assert lines[-2:] == ['make lint', 'make test'] and lines[-1] in readme_commands()
    assert os.access(ROOT / '.ci/run', os.X_OK)
    assert '-m pytest' in make('test').strip().splitlines()[-1]  # pytest prints the last lines


def test_lint_checks_rules_format_and_types() -> None:
    last = make('lint').strip().splitlines()[-1]
    assert all(tool in last for tool in ('ruff check', 'ruff format --check', 'mypy'))


def test_coverage_measures_the_package() -> None:
    assert '--cov-report=term' in make('coverage') and '--cov-fail-under=90' in make('coverage')
    assert '--cov-fail-under' not in make('coverage', 'TESTS=tests/cli')  # a part of the suite
    assert 'source = ["facelmk"]' in (ROOT / 'pyproject.toml').read_text()


@pytest.mark.parametrize('path', sorted((ROOT / '.github/workflows').glob('*.yml')), ids=lambda path: path.name)
def test_workflows_run_targets_of_the_makefile(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text())['jobs']
    commands = [step.get('run', '') for job in jobs.values() for step in job['steps']]
    targets = {target for command in commands for target in re.findall(r'\bmake ([\w-]+)', command)}
    assert targets and targets <= make_targets()


def test_the_workflow_tests_every_python_with_the_numpy_of_the_pins() -> None:
    jobs = yaml.safe_load((ROOT / '.github/workflows/tests.yml').read_text())['jobs']
    assert {'lint', 'tests'} <= set(jobs)
    numpy = [pin for pin in requirements('constraints') if pin.name == 'numpy']
    rows = jobs['tests']['strategy']['matrix']['include']
    assert [row['python'] for row in rows] == ['3.10', '3.11', '3.12', '3.13']
    for row in rows:
        (pin,) = [pin for pin in numpy if pin.marker.evaluate({'python_version': row['python']})]
        assert str(pin.specifier).startswith(f'=={row["numpy"]}.')
        assert f'Python :: {row["python"]}"' in (ROOT / 'pyproject.toml').read_text()


def test_the_pre_commit_hooks_are_the_tools_of_make_lint() -> None:
    repo, common = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())['repos']
    assert repo['repo'] == 'local' and re.fullmatch(r'v\d+\.\d+\.\d+', common['rev'])
    assert {'check-added-large-files', 'detect-private-key'} <= {hook['id'] for hook in common['hooks']}
    entries = [hook['entry'].split() for hook in repo['hooks']]
    assert all(entry[0].startswith('.venv/bin/') for entry in entries)
    tools = [' '.join(entry[:2]).removeprefix('.venv/bin/') for entry in entries]
    assert tools == ['ruff check', 'ruff format', 'mypy']


def test_quickstart_ends_with_the_table() -> None:
    *_, train, test = make('quickstart', 'WORK_DIR=/elsewhere').replace('\\\n', '').strip().splitlines()
    assert 'facelmk train quickstart --work-dir /elsewhere --resume' in train
    assert 'facelmk test quickstart' in test and re.search('--(floor|baseline) ', test)
    assert '--report /elsewhere/report' in test


def test_an_installed_torch_can_stay(tmp_path: Path) -> None:
    keep = make('install', 'TORCH=keep', f'VENV={tmp_path}/venv')
    assert '--system-site-packages' in keep and "grep -v '^torch=='" in keep and '--keep-torch' in keep
    pinned = make('install', f'VENV={tmp_path}/venv')
    assert '--system-site-packages' not in pinned and "grep -v '^torch=='" not in pinned


@pytest.fixture
def preflight() -> ModuleType:
    """tools/preflight.py as a module."""
    spec = importlib.util.spec_from_file_location('preflight', ROOT / 'tools/preflight.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_preflight_prints_the_command_that_helps(preflight: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(preflight.ctypes, 'CDLL', refuse)
    monkeypatch.setattr(preflight.platform, 'system', lambda: 'Linux')
    monkeypatch.setattr(preflight.shutil, 'disk_usage', lambda _: shutil._ntuple_diskusage(10**10, 10**10, 10**9))
    monkeypatch.setattr(preflight.shutil, 'which', lambda _: None)
    monkeypatch.setattr(preflight.importlib.util, 'find_spec', lambda _: None)
    monkeypatch.setattr(preflight, 'OLDEST_PYTHON', (9, 0))
    lines = '\n'.join(preflight.problems(keep_torch=True))
    for remedy in (
        'make PYTHON=',
        '-venv',
        'apt-get install make',
        'larger disk',
        'apt-get install libgl1',
        'apt-get install libglib2.0-0',
        'TORCH=keep',
    ):
        assert remedy in lines, lines


def test_preflight_exits_with_3_if_something_is_missing(preflight: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, 'problems', lambda keep: iter(()))
    assert preflight.main() == 0
    monkeypatch.setattr(preflight, 'problems', lambda keep: iter(['no disk']))
    assert preflight.main() == 3


def test_one_version_everywhere() -> None:
    assert f'version: {facelmk.__version__}' in (ROOT / 'CITATION.cff').read_text()
    assert f'## {facelmk.__version__}' in (ROOT / 'CHANGELOG.md').read_text()


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / 'LICENSE').read_text()
    assert 'Apache License' in text and 'Version 2.0, January 2004' in text and 'END OF TERMS AND CONDITIONS' in text
