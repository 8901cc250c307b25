"""The package as users get it: what it asks for, what the wheel holds, and an epoch trained from it."""

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
from packaging.requirements import Requirement

import facelmk

ROOT = Path(__file__).parents[1]
SEVEN = {'torch', 'mmengine', 'mmcv-lite', 'numpy', 'opencv-python', 'xtcocotools', 'json-tricks'}
STAND_IN = {'pycocotools': 'xtcocotools'}  # where the one has no build, the other does its job
MODULE = {'mmcv-lite': 'mmcv', 'opencv-python': 'cv2', 'json-tricks': 'json_tricks'}
BROUGHT_ALONG = {'PIL', 'matplotlib', 'packaging', 'yaml'}  # by mmengine and mmcv-lite
OPTIONAL = {'h5py', 'scipy', 'tensorboard', 'pycocotools', 'timm'}


def requirements(name: str) -> list[Requirement]:
    """The packages that requirements/NAME.txt names."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith('#')]


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """What a command prints; it must succeed. The clone is not on its path."""
    environment = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'} | variables
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f'{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
    return done.stdout


# -- what is asked for


def test_the_runtime_needs_are_the_seven_packages() -> None:
    names = {STAND_IN.get(need.name, need.name) for need in requirements('runtime')}
    assert names == SEVEN
    assert (ROOT / 'requirements.txt').read_text().split() == ['-r', 'requirements/runtime.txt']


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12', '3.13'])
def test_one_coco_package_for_each_python(python: str) -> None:
    coco = [need for need in requirements('runtime') if need.name in {'xtcocotools', 'pycocotools'}]
    assert sum(need.marker.evaluate({'python_version': python}) for need in coco) == 1


@pytest.mark.parametrize('python', ['3.11', '3.12'])
def test_pins_agree_with_the_needs(python: str) -> None:
    pins = {
        pin.name.lower(): pin
        for pin in requirements('constraints')
        if pin.marker is None or pin.marker.evaluate({'python_version': python})
    }
    for need in [*requirements('runtime'), *requirements('tests')]:
        (version,) = re.findall(r'==([\w.]+)', str(pins[need.name.lower()].specifier))
        assert version in need.specifier, need


@pytest.mark.fault('I11')
def test_opencv_5_is_refused_at_installation() -> None:
    """Its warps differ by up to four grey levels; the metadata of the package says so to pip."""
    (need,) = [need for need in requirements('runtime') if need.name == 'opencv-python']
    assert not any(need.specifier.contains(version, prereleases=True) for version in ('5.0.0', '5.0.0.93', '5.1', '6'))
    pins = [pin for pin in requirements('constraints') if pin.name == need.name]
    assert len(pins) == 2 and all(need.specifier.contains(next(iter(pin.specifier)).version) for pin in pins)


def imports(path: Path) -> set[tuple[str, str, bool]]:
    """(module, name, at the top of the file?) of each import from outside the package."""
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.name, '', id(node) in top) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {(node.module, alias.name, id(node) in top) for alias in node.names}
    return {row for row in found if row[0].split('.')[0] not in {*sys.stdlib_module_names, 'facelmk'}}


def uses() -> dict[str, set[str]]:
    """The files of the package, by what they import from outside: 'mmcv', 'mmcv.transforms.BaseTransform'."""
    found = defaultdict(set)
    for path in (ROOT / 'facelmk').rglob('*.py'):
        for module, name, _ in imports(path):
            for dotted in (module.split('.')[0], module, f'{module}.{name}'):
                found[dotted].add(path.relative_to(ROOT / 'facelmk').as_posix())
    return found


@pytest.mark.parametrize(
    'package, imported, room',
    [
        ('torch', 'torch.nn', 'models/landmarker.py'),
        ('mmengine', 'mmengine.runner.Runner', 'engine/run.py'),
        ('mmcv-lite', 'mmcv.transforms.BaseTransform', 'datasets/transforms/crop.py'),
        ('numpy', 'numpy', 'geometry.py'),
        ('opencv-python', 'cv2', 'datasets/transforms/crop.py'),
        ('xtcocotools', 'xtcocotools.coco.COCO', 'metrics/keypoint_ap.py'),
        ('json-tricks', 'json_tricks', 'report/record.py'),
    ],
)
def test_each_of_the_seven_has_a_job(package: str, imported: str, room: str) -> None:
    assert package in SEVEN
    assert room in uses()[imported]


@pytest.mark.parametrize(
    'room, call',
    [
        ('datasets/transforms/crop.py', '(BaseTransform)'),  # is what a transform is
        ('datasets/transforms/crop.py', 'cv2.warpAffine('),
        ('metrics/keypoint_ap.py', 'COCO('),  # the index of a data set
        ('metrics/keypoint_ap.py', 'COCOeval('),  # keypoint AP
        ('report/record.py', 'json_tricks.dumps('),
    ],
)  # writes results
def test_the_jobs_are_done_there(room: str, call: str) -> None:
    assert call in (ROOT / 'facelmk' / room).read_text()


def test_nothing_else_is_imported() -> None:
    needed = {MODULE.get(name, name) for name in SEVEN} | BROUGHT_ALONG
    for path in (ROOT / 'facelmk').rglob('*.py'):
        for module, _, top in imports(path):
            package = module.split('.')[0]
            assert package in needed or (package in OPTIONAL and not top), f'{path}: {module}'


def test_annotations_are_never_read_with_json_tricks() -> None:
    """Its reader imports whatever module a file names."""
    for path in (ROOT / 'facelmk').rglob('*.py'):
        assert not re.search(r'json_tricks\.loads?\(|from json_tricks import', path.read_text()), path


# -- how light it is


def loaded_after(code: str) -> set[str]:
    """Which heavy packages a piece of Python loads."""
    names = ('torch', 'mmengine', 'numpy', 'cv2', 'mmcv', 'scipy', 'matplotlib', 'h5py', 'xtcocotools', 'json_tricks')
    tell = f'import sys\nprint("LOADED", *(set({names!r}) & sys.modules.keys()))'
    printed = run(sys.executable, '-c', f'{code}\n{tell}', cwd=ROOT)
    return set(printed.rpartition('LOADED')[2].split())


def test_import_is_light() -> None:
    assert loaded_after('import facelmk') == set()


def test_help_is_light() -> None:
    code = 'from facelmk.cli import main\ntry: main(["--help"])\nexcept SystemExit: pass'
    assert loaded_after(code) <= {'mmengine', 'numpy'}


def test_the_registry_is_light() -> None:
    assert loaded_after('import facelmk.registry, facelmk.markups, facelmk.geometry') <= {'mmengine', 'numpy'}


# -- the wheel


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made from the source archive, which is made from a copy: the clone is left as it is."""
    folder = tmp_path_factory.mktemp('wheel')
    source = folder / 'source'
    junk = shutil.ignore_patterns('__pycache__', '.*_cache')
    for name in ('facelmk', 'configs', 'requirements'):
        shutil.copytree(ROOT / name, source / name, ignore=junk)
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
    """The bin folder of a new environment with the wheel in it; the other packages are this environment's."""
    home = tmp_path_factory.mktemp('home') / 'venv'
    run(sys.executable, '-m', 'venv', '--without-pip', home, cwd=home.parent)
    python = home / 'bin' / 'python'
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
        cwd=home.parent,
    )
    site = run(python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))', cwd=home.parent).strip()
    here = {
        sysconfig.get_path('purelib'),
        sysconfig.get_path('platlib'),
        *(str(Path(importlib.util.find_spec(name).origin).parents[1]) for name in ('torch', 'mmengine', 'numpy')),
    }
    # addsitedir reads the .pth files there too: on Python 3.12 that is how setuptools brings distutils back
    Path(site, 'borrowed.pth').write_text(''.join(f'import site; site.addsitedir({path!r})\n' for path in sorted(here)))
    return home / 'bin'


def files_of(folder: str) -> set[str]:
    """Every file below a folder of the clone, relative to it."""
    paths = (path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob('*') if path.is_file())
    return {path.as_posix() for path in paths if not re.search(r'__pycache__|_cache/', path.as_posix())}


def test_the_wheel_holds_every_file_and_config(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {f'facelmk/{file}' for file in files_of('facelmk')} <= held
    assert {f'facelmk/configs/{file}' for file in files_of('configs')} <= held
    assert 'facelmk/py.typed' in held and 'facelmk/configs/_base_/runtime.py' in held
    assert {name.split('/')[0] for name in held} == {'facelmk', f'facelmk-{facelmk.__version__}.dist-info'}


def test_an_installed_facelmk_finds_its_configs(installed: Path, tmp_path: Path) -> None:
    code = (
        'import facelmk\nfrom facelmk.config import config_folder, config_names\n'
        'print(facelmk.__file__, config_folder(), *config_names(), sep="\\n")'
    )
    module, folder, *names = run(installed / 'python', '-c', code, cwd=tmp_path).split()
    assert str(installed.parent) in module and str(installed.parent) in folder
    assert names == sorted(path.stem for path in (ROOT / 'configs').glob('*.py'))


def test_the_installed_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    assert run(installed / 'facelmk', '--version', cwd=tmp_path).strip() == facelmk.__version__


def test_a_config_of_ones_own_reads_an_installed_one(installed: Path, tmp_path: Path) -> None:
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


# -- the commands of the README


def make(*words: str) -> str:
    """What make would run."""
    return run('make', '-n', *words, cwd=ROOT)


def test_the_commands_of_the_readme_are_in_the_makefile() -> None:
    named = set(re.findall(r'^make ([\w-]+)', (ROOT / 'README.md').read_text(), re.M))
    assert {'quickstart', 'test'} <= named
    targets = set(re.findall(r'^([\w-]+):(?!=)', (ROOT / 'Makefile').read_text(), re.M))
    assert named <= targets


def test_ci_runs_the_test_command() -> None:
    last = (ROOT / '.ci/run').read_text().strip().splitlines()[-1]
    assert re.fullmatch(r'exec make( --no-print-directory)? test', last)
    assert os.access(ROOT / '.ci/run', os.X_OK)
    assert '-m pytest' in make('test').strip().splitlines()[-1]  # nothing is printed after pytest's own lines


def test_quickstart_ends_with_the_table() -> None:
    *_, train, test = make('quickstart', 'WORK_DIR=/elsewhere').replace('\\\n', '').strip().splitlines()
    assert 'facelmk train quickstart --work-dir /elsewhere --resume' in train
    assert 'facelmk test quickstart' in test and '--floor' in test and '--report /elsewhere/report' in test


def test_a_torch_that_is_there_can_be_kept(tmp_path: Path) -> None:
    kept = make('install', 'TORCH=keep', f'VENV={tmp_path}/venv')
    assert '--system-site-packages' in kept and "grep -v '^torch=='" in kept and '--keep-torch' in kept
    pinned = make('install', f'VENV={tmp_path}/venv')
    assert '--system-site-packages' not in pinned and "grep -v '^torch=='" not in pinned


@pytest.fixture
def preflight() -> ModuleType:
    """tools/preflight.py as a module."""
    spec = importlib.util.spec_from_file_location('preflight', ROOT / 'tools/preflight.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_preflight_names_the_line_that_mends_it(preflight: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(preflight.ctypes, 'CDLL', refuse)
    monkeypatch.setattr(preflight.platform, 'system', lambda: 'Linux')
    monkeypatch.setattr(preflight.shutil, 'disk_usage', lambda _: shutil._ntuple_diskusage(10**10, 10**10, 10**9))
    monkeypatch.setattr(preflight.shutil, 'which', lambda _: None)
    monkeypatch.setattr(preflight.importlib.util, 'find_spec', lambda _: None)
    monkeypatch.setattr(preflight, 'OLDEST_PYTHON', (9, 0))
    told = '\n'.join(preflight.problems(keep_torch=True))
    for mend in (
        'make PYTHON=',
        '-venv',
        'apt-get install make',
        'clone onto a larger disk',
        'apt-get install libgl1',
        'apt-get install libglib2.0-0',
        'TORCH=keep',
    ):
        assert mend in told, told


def test_preflight_answers_by_its_exit_code(preflight: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
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
