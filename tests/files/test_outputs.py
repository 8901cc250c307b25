"""Each output of facelmk is whole or absent: whatever stops a command, the earlier output stands."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine import Config, dump

from facelmk.checkpoint import save_checkpoint
from facelmk.cli import main
from facelmk.config import load_config
from facelmk.engine.run import test as run_test
from facelmk.errors import UnwritableOutput
from facelmk.faces import save
from facelmk.files.backend import AtomicConfig
from facelmk.registry import MODELS
from facelmk.report import Collector, conclude

pytest.importorskip('resource', reason='this system limits no files')
from disturbances import ERRORS, at_commit, file_limit, killed, snapshot

CONFIG = """
crop = [dict(type='LoadImage'), dict(type='CropFace', size=32), dict(type='PackFace')]
train_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=4, seed=9, size=64, pipeline=crop))
val_dataloader = dict(batch_size=2, num_workers=0, dataset=dict(
    type='SyntheticFaces', count=4, size=64, pipeline=crop))
val_evaluator = [dict(type='NME')]
model = dict(type='facelmk.FaceLandmarker', backbone=dict(type='NanoNet'), head=dict(type='RegressionHead'),
             codec=dict(type='Coordinates'), loss=dict(type='WingLoss'))
"""
PREDICT = ('predict', 'small.py', '--weights', 'best.pth', '--boxes', 'full', '--device', 'cpu', '--no-flip')
CONVERT = ('data', 'convert', 'faces.csv', '--markup', 'wflw', '--to')
COMMANDS = {
    'predict: numbers': (*PREDICT, 'album', '--out', 'out/faces.json'),
    'predict: one drawing': (*PREDICT, 'album/0.png', '--out', 'out/drawing.png'),
    'predict: a folder': (*PREDICT, 'album', '--out', 'out'),
    'convert: coco': (*CONVERT, 'coco', '--out', 'out/set.json'),
    'convert: csv': (*CONVERT, 'csv', '--out', 'out/set.csv'),
    'convert: wflw': (*CONVERT, 'wflw', '--out', 'out/set.txt'),
    'convert: pts': (*CONVERT, 'pts', '--pictures', 'copy', '--out', 'out'),
    'convert: lapa': (
        'data',
        'convert',
        'lapa.csv',
        '--markup',
        'lapa',
        '--to',
        'lapa',
        '--pictures',
        'copy',
        '--out',
        'out',
    ),
    'convert: drawn faces': ('data', 'convert', 'small.py', '--to', 'coco', '--out', 'out/set.json'),
    'browse': ('data', 'browse', 'small.py', '--out', 'out', '--count', '2'),
    'browse: pictures': ('data', 'browse', 'small.py', '--output-dir', 'out', '--count', '2'),
    'curves: html': ('plot', 'logs', 'scalars.json', '--out', 'out/curves.html'),
    'curves: png': ('plot', 'logs', 'scalars.json', '--out', 'out/curves.png'),
    'curves: svg': ('plot', 'logs', 'scalars.json', '--out', 'out/curves.svg'),
    'publish': ('models', 'publish', 'light.pth', 'out/published.pth'),
}
WEIGHTS = {'state_dict': {'a': torch.arange(3000)}}
CALLS = {
    'metrics': lambda tested: conclude(*tested, 'best.pth', work_dir='out'),
    'metrics: a second file': lambda tested: conclude(*tested, 'best.pth', out='out/m.json', work_dir='other'),
    'dump: json': lambda tested: conclude(*tested, 'best.pth', dump='out/d.json', work_dir='other'),
    'dump: tensor': lambda tested: conclude(*tested, 'best.pth', dump='out/d.pth', work_dir='other'),
    'report': lambda tested: conclude(*tested, 'best.pth', page='out', work_dir='other'),
    'badcase': lambda tested: conclude(*tested, 'best.pth', badcase=2, work_dir='.'),
    'picture': lambda tested: save(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8), 'out/a.png'),
    'checkpoint': lambda tested: save_checkpoint(WEIGHTS, 'out/a.pth'),
    "mmengine's json": lambda tested: dump({'a': [1.0] * 3000}, 'out/a.json'),
    "mmengine's config": lambda tested: AtomicConfig({'a': [1.0] * 50}).dump('out/a.py'),
}


def test_the_dump_of_a_config_leaves_the_file_that_it_was_read_from_as_it_is(tmp_path: Path) -> None:
    (tmp_path / 'a.py').write_text('a = 1  # why\n')
    config = AtomicConfig.of(Config.fromfile(tmp_path / 'a.py'))
    config.dump(tmp_path / 'a.py'), config.dump(tmp_path / 'b.py')
    assert '# why' in (tmp_path / 'a.py').read_text() and (tmp_path / 'b.py').is_file()


@pytest.fixture(scope='module')
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, tables of landmarks, a config with weights and a log."""
    folder = tmp_path_factory.mktemp('scene')
    (folder / 'small.py').write_text(CONFIG)
    (folder / 'album').mkdir()
    random = np.random.default_rng(0)
    for name, count in (('faces', 98), ('lapa', 106)):
        points = [f'original_{i}_{axis}' for i in range(count) for axis in 'xy']
        lines = [','.join(['image_name', 'scale', 'center_w', 'center_h', *points])]
        for i in range(3):
            cv2.imwrite(str(folder / f'album/{i}.png'), random.integers(0, 255, (64, 64, 3), np.uint8))
            lines.append(','.join([f'album/{i}.png', '0.3', '30', '30', *map(str, random.uniform(5, 60, 2 * count))]))
        (folder / f'{name}.csv').write_text('\n'.join(lines) + '\n')
    lines = [dict(loss=float(i), epoch=1, iter=i, step=i) for i in range(1, 9)]
    (folder / 'scalars.json').write_text(''.join(f'{json.dumps(line)}\n' for line in lines))
    torch.manual_seed(0)
    weights = MODELS.build(load_config(folder / 'small.py').model).state_dict()
    save_checkpoint({'meta': {'epoch': 1}, 'state_dict': weights}, folder / 'best.pth')
    save_checkpoint(WEIGHTS, folder / 'light.pth')
    return folder


@pytest.fixture(scope='module')
def tested(scene: Path, tmp_path_factory: pytest.TempPathFactory):
    """The Runner and the metrics of a test."""
    config = load_config(scene / 'small.py', {'work_dir': str(tmp_path_factory.mktemp('work')), 'log_level': 'ERROR'})
    return run_test(config, str(scene / 'best.pth'), watch=[Collector()])


@pytest.fixture
def here(scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which the scene is."""
    shutil.copytree(scene, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check_output_stands(
    work: Callable[[], object], fails: Callable[[str, Callable], None], folder: Path, ways: Sequence[str]
) -> None:
    """Do the same work undisturbed, then disturbed in each way, then once more."""
    with at_commit(0, lambda: None) as written:
        work()
    count, names = len(written), set(snapshot(folder))
    for neighbour in folder.rglob('*'):
        assert not neighbour.name.endswith('.tmp')
    before = snapshot(folder)
    assert before
    for how in ways:
        with at_commit(count, ERRORS[how]):
            fails(how, work)
        assert snapshot(folder) == before, how
    with file_limit(max(len(content) for _, content in before.values()) // 2):
        fails('full', work)
    assert snapshot(folder) == before
    killed(work, count)
    assert {name: file for name, file in snapshot(folder).items() if '.tmp' not in name} == before
    work()
    assert set(snapshot(folder)) == names


@pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')
@pytest.mark.fault('M01', 'M02', 'M03', 'M04')
@pytest.mark.parametrize('name', COMMANDS)
def test_a_command_that_fails_leaves_its_earlier_output(name: str, here: Path, capsys) -> None:
    codes = {'full': 3, 'Ctrl-C': 130, 'SIGTERM': 143}

    def fails(how: str, work: Callable) -> None:
        capsys.readouterr()
        assert main(COMMANDS[name]) == codes[how]
        printed = capsys.readouterr().err
        assert printed.startswith('facelmk: ') and len(printed.splitlines()) == 1
        assert codes[how] != 3 or 'out' in printed

    def work() -> None:
        assert main(COMMANDS[name]) == 0

    check_output_stands(work, fails, here / 'out', list(ERRORS))


@pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')
@pytest.mark.fault('M01', 'M02', 'M03', 'M04')
@pytest.mark.parametrize('name', CALLS)
def test_a_call_that_fails_leaves_its_earlier_output(name: str, here: Path, tested) -> None:
    def fails(how: str, work: Callable) -> None:
        with pytest.raises(UnwritableOutput if how == 'full' else KeyboardInterrupt):
            work()

    folder = here / ('badcase' if name == 'badcase' else 'out')
    check_output_stands(lambda: CALLS[name](tested), fails, folder, ('full', 'Ctrl-C'))  # commands translate SIGTERM
