"""Block I: the machine around a run. Permissions are tried in a child process without root."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from facelmk.checkpoint import save_checkpoint
from facelmk.cli import main
from facelmk.config import load_config
from facelmk.registry import MODELS

ROOT = Path(__file__).parents[2]
NOBODY = 65534
SLIM = {'OMP_NUM_THREADS': '1', 'PYTHONDONTWRITEBYTECODE': '1'}
CONFIG = """
crop = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
val_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=3, size=64, pipeline=crop))
val_evaluator = [dict(type='NME')]
model = dict(type='facelmk.FaceLandmarker', backbone=dict(type='QuickNet'), head=dict(type='RegressionHead'),
             codec=dict(type='Coordinates'), loss=dict(type='WingLoss'))
"""


def start(
    *words: str, folder: Path, flags: tuple[str, ...] = (), without: tuple[str, ...] = (), **more: str
) -> subprocess.CompletedProcess[str]:
    """One command line in a process of its own."""
    kept = {key: value for key, value in os.environ.items() if key not in without}
    return subprocess.run(
        [sys.executable, *flags, '-m', 'facelmk.cli', *words],
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=200,
        encoding='utf-8',
        env=kept | SLIM | {'PYTHONPATH': str(ROOT)} | more,
    )


def written(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'my.py').write_text(CONFIG)
    return folder


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder with a config that nobody but root may write into."""
    if os.geteuid() != 0:
        pytest.skip('only root can start a process of another user')
    for place in (tmp_path, *tmp_path.parents):  # pytest and its workers close their folders to others
        place.chmod(0o755)
        if place.name.startswith('pytest-of-'):
            break
    return written(tmp_path / 'closed')


@pytest.mark.fault('I01')
def test_a_work_dir_that_may_not_be_written_to(closed: Path) -> None:
    # root gives itself up once everything is imported: others may not be able to read this Python
    code = (
        'import os, sys; from facelmk.cli import main; from facelmk.config import load_config; '
        f'import facelmk.engine.run, facelmk.cli.train; load_config("my.py"); os.setuid({NOBODY}); '
        'sys.exit(main(["train", "my.py", "--work-dir", sys.argv[1]]))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, str(closed / 'run')],
        cwd=closed,
        text=True,
        timeout=200,
        capture_output=True,
        env=os.environ | SLIM | {'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 2 and 'Traceback' not in done.stderr, done.stderr
    assert str(closed) in done.stderr and '--work-dir' in done.stderr


@pytest.mark.fault('I03', 'I04', 'I12')
def test_no_home_no_temporary_folder_and_the_language_c(tmp_path: Path) -> None:
    """All three at once, since each process costs seconds."""
    folder = written(tmp_path / '顔')
    done = start(
        'config',
        'show',
        str(folder / 'my.py'),
        folder=tmp_path,
        without=('HOME',),
        LANG='C',
        LC_ALL='C',
        TMPDIR=str(tmp_path / 'gone'),
    )
    assert done.returncode == 0 and 'FaceLandmarker' in done.stdout, done.stderr


@pytest.mark.parametrize(
    'name',
    [
        pytest.param('with a space', marks=pytest.mark.fault('I05'), id='space'),
        pytest.param('顔_лицо_é', marks=pytest.mark.fault('I06'), id='unicode'),
        pytest.param('x' * 250, marks=pytest.mark.fault('I07'), id='long'),
    ],
)
def test_paths(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / name)
    words = ['config', 'check', str(folder / 'my.py'), '--work-dir', str(folder / 'run')]
    assert main(words) == 0, capsys.readouterr()
    assert 'validation batch' in capsys.readouterr().out


def asked(folder: Path) -> list[str]:
    """The words of a prediction in a folder that holds all it needs."""
    written(folder)
    assert cv2.imwrite(str(folder / 'a.png'), np.zeros((64, 64, 3), np.uint8))
    model = MODELS.build(load_config(str(folder / 'my.py')).model)
    with torch.no_grad():
        list(model.head.parameters())[-1].fill_(0.5)  # the bias: points in the middle of the picture
    save_checkpoint({'state_dict': model.state_dict()}, folder / 'w.pth')
    return ['predict', 'my.py', 'a.png', '--weights', 'w.pth', '--boxes', 'full', '--device', 'cpu']


@pytest.mark.fault('I02')
def test_a_current_folder_that_may_not_be_written_to(closed: Path) -> None:
    """Root asks first, so that everything is imported; neither time anything is written."""
    words = [*asked(closed), '--json']
    before = sorted(closed.rglob('*'))
    code = (
        f'import os; from facelmk.cli import main; words = {words!r}; main(words); os.setgid({NOBODY}); '
        f'os.setuid({NOBODY}); assert not os.access(".", os.W_OK); raise SystemExit(main(words))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=closed,
        text=True,
        timeout=200,
        capture_output=True,
        env=os.environ | SLIM | {'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    one, other = done.stdout[: len(done.stdout) // 2], done.stdout[len(done.stdout) // 2 :]
    assert one == other and '"landmarks"' in one and sorted(closed.rglob('*')) == before


@pytest.mark.fault('I08')
def test_no_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY'):
        monkeypatch.delenv(name, raising=False)
    words = asked(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main([*words, '--out', 'drawn.png']) == 0, capsys.readouterr()
    drawn = cv2.imread('drawn.png')
    assert drawn is not None and drawn.any()


@pytest.mark.fault('I09')
def test_a_device_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    words = [*asked(tmp_path)[:-1], 'cuda']
    monkeypatch.chdir(tmp_path)
    assert main(words) == 3
    told = capsys.readouterr().err
    assert "device='cuda': torch sees 0 GPUs" in told and "device='cpu'" in told and 'Traceback' not in told


@pytest.mark.slow
@pytest.mark.fault('I13')
def test_an_output_that_is_closed(tmp_path: Path) -> None:
    command = f'set -o pipefail; "{sys.executable}" -m facelmk.cli config show hrnetv2_w18_wflw --json | true'
    done = subprocess.run(
        ['bash', '-c', command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ | SLIM | {'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 141 and done.stderr == ''


@pytest.mark.slow
@pytest.mark.fault('I14')
def test_without_assertions(tmp_path: Path) -> None:
    folder = written(tmp_path)
    words = ('config', 'check', 'my.py', '--cfg-options', 'model.backbone.widht=3')
    one, other = (start(*words, folder=folder, flags=flags) for flags in ((), ('-O',)))
    assert one.returncode == other.returncode == 2 and "'width'" in other.stdout
    assert one.stdout.splitlines()[0] == other.stdout.splitlines()[0]
    done = start('train', 'my.py', '--cfg-options', 'model.mean=[1,2', folder=folder, flags=('-O',))
    assert done.returncode == 2 and 'Traceback' not in done.stderr
