"""The machine around a run: permissions (in a child process without root), paths, display, devices."""

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
    """Run one command line in its own process."""
    inherited = {key: value for key, value in os.environ.items() if key not in without}
    return subprocess.run(
        [sys.executable, *flags, '-m', 'facelmk.cli', *words],
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=200,
        encoding='utf-8',
        env=inherited | SLIM | {'PYTHONPATH': str(ROOT)} | more,
    )


def folder_with_config(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'my.py').write_text(CONFIG)
    return folder


@pytest.fixture
def read_only(tmp_path: Path) -> Path:
    """A folder with a config; only root may write into it."""
    if os.geteuid() != 0:
        pytest.skip('only root can start a process of another user')
    for parent in (tmp_path, *tmp_path.parents):  # pytest's folders are closed to other users
        parent.chmod(0o755)
        if parent.name.startswith('pytest-of-'):
            break
    return folder_with_config(tmp_path / 'closed')


@pytest.mark.fault('I01')
def test_a_read_only_work_dir(read_only: Path) -> None:
    # the process leaves root after all imports: other users may not be able to read this Python
    code = (
        'import os, sys; from facelmk.cli import main; from facelmk.config import load_config; '
        f'import facelmk.engine.run, facelmk.cli.train, facelmk.config.build_errors; load_config("my.py"); os.setuid({NOBODY}); '
        'sys.exit(main(["train", "my.py", "--work-dir", sys.argv[1]]))'
    )
    result = subprocess.run(
        [sys.executable, '-c', code, str(read_only / 'run')],
        cwd=read_only,
        text=True,
        timeout=200,
        capture_output=True,
        env=os.environ | SLIM | {'PYTHONPATH': str(ROOT)},
    )
    assert result.returncode == 2 and 'Traceback' not in result.stderr, result.stderr
    assert str(read_only) in result.stderr and '--work-dir' in result.stderr


@pytest.mark.fault('I03', 'I04', 'I12')
def test_without_home_temporary_folder_and_language(tmp_path: Path) -> None:
    """All three at once, because each process costs seconds."""
    folder = folder_with_config(tmp_path / '顔')
    result = start(
        'config',
        'show',
        str(folder / 'my.py'),
        folder=tmp_path,
        without=('HOME',),
        LANG='C',
        LC_ALL='C',
        TMPDIR=str(tmp_path / 'gone'),
    )
    assert result.returncode == 0 and 'FaceLandmarker' in result.stdout, result.stderr


@pytest.mark.parametrize(
    'name',
    [
        pytest.param('with a space', marks=pytest.mark.fault('I05'), id='space'),
        pytest.param('顔_лицо_é', marks=pytest.mark.fault('I06'), id='unicode'),
        pytest.param('x' * 250, marks=pytest.mark.fault('I07'), id='long'),
    ],
)
def test_paths(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_with_config(tmp_path / name)
    words = ['config', 'check', str(folder / 'my.py'), '--work-dir', str(folder / 'run')]
    assert main(words) == 0, capsys.readouterr()
    assert 'validation batch' in capsys.readouterr().out


def words_of_prediction(folder: Path) -> list[str]:
    """The command line of a prediction, with all its files in a folder."""
    folder_with_config(folder)
    assert cv2.imwrite(str(folder / 'a.png'), np.zeros((64, 64, 3), np.uint8))
    model = MODELS.build(load_config(str(folder / 'my.py')).model)
    with torch.no_grad():
        list(model.head.parameters())[-1].fill_(0.5)  # the bias: points in the middle of the image
    save_checkpoint({'state_dict': model.state_dict()}, folder / 'w.pth')
    return ['predict', 'my.py', 'a.png', '--weights', 'w.pth', '--boxes', 'full', '--device', 'cpu']


@pytest.mark.fault('I02')
def test_a_read_only_current_folder(read_only: Path) -> None:
    """Root runs the command first, so that everything is imported; neither run writes a file."""
    words = [*words_of_prediction(read_only), '--json']
    before = sorted(read_only.rglob('*'))
    code = (
        f'import os; from facelmk.cli import main; words = {words!r}; main(words); os.setgid({NOBODY}); '
        f'os.setuid({NOBODY}); assert not os.access(".", os.W_OK); raise SystemExit(main(words))'
    )
    result = subprocess.run(
        [sys.executable, '-c', code],
        cwd=read_only,
        text=True,
        timeout=200,
        capture_output=True,
        env=os.environ | SLIM | {'PYTHONPATH': str(ROOT)},
    )
    assert result.returncode == 0, result.stderr
    one, other = result.stdout[: len(result.stdout) // 2], result.stdout[len(result.stdout) // 2 :]
    assert one == other and '"landmarks"' in one and sorted(read_only.rglob('*')) == before


@pytest.mark.fault('I08')
def test_no_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY'):
        monkeypatch.delenv(name, raising=False)
    words = words_of_prediction(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main([*words, '--out', 'drawn.png']) == 0, capsys.readouterr()
    drawn = cv2.imread('drawn.png')
    assert drawn is not None and drawn.any()


@pytest.mark.fault('I09')
def test_a_missing_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    words = [*words_of_prediction(tmp_path)[:-1], 'cuda']
    monkeypatch.chdir(tmp_path)
    assert main(words) == 3
    message = capsys.readouterr().err
    assert "device='cuda'" in message and '0 GPUs' in message
    assert "device='cpu'" in message and 'Traceback' not in message


@pytest.mark.slow
@pytest.mark.fault('I13')
def test_a_closed_output(tmp_path: Path) -> None:
    command = f'set -o pipefail; "{sys.executable}" -m facelmk.cli config show hrnetv2_w18_wflw --json | true'
    result = subprocess.run(
        ['bash', '-c', command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ | SLIM | {'PYTHONPATH': str(ROOT)},
    )
    assert result.returncode == 141 and result.stderr == ''


@pytest.mark.slow
@pytest.mark.fault('I14')
def test_python_without_assertions(tmp_path: Path) -> None:
    folder = folder_with_config(tmp_path)
    words = ('config', 'check', 'my.py', '--cfg-options', 'model.backbone.widht=3')
    one, other = (start(*words, folder=folder, flags=flags) for flags in ((), ('-O',)))
    assert one.returncode == other.returncode == 2 and "'width'" in other.stdout
    assert one.stdout.splitlines()[0] == other.stdout.splitlines()[0]
    result = start('train', 'my.py', '--cfg-options', 'model.mean=[1,2', folder=folder, flags=('-O',))
    assert result.returncode == 2 and 'Traceback' not in result.stderr
