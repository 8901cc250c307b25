"""Block I: machines and folders as they are; here what concerns pictures and their paths."""
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from facelmk.cli import main

fault = pytest.mark.fault
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(predictor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, which everybody may read: a picture and weights."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        monkeypatch.chdir(name)
        torch.save(predictor.landmarker.state_dict(), 'best.pth')
        picture = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
        Path('a.png').write_bytes(cv2.imencode('.png', picture)[1].tobytes())
        yield Path(name)


def words(picture: Path | str, weights: Path | str = 'best.pth') -> list[str]:
    return ['predict', 'quickstart', str(picture), '--weights', str(weights), '--boxes', 'full', '--device', 'cpu']


@pytest.mark.parametrize('name', [
    pytest.param('a b  c', marks=fault('I05')), pytest.param('Gesicht ü 顔 лицо', marks=fault('I06')),
    pytest.param('x' * 250, marks=fault('I07'))])
def test_predict_with_any_path(name, folder, capsys) -> None:
    below = folder / name
    below.mkdir()
    picture, weights = below / f'{name[:240]}.png', below / 'best.pth'
    Path('a.png').rename(picture)
    Path('best.pth').rename(weights)
    assert main([*words(picture, weights), '--out', str(below / 'drawn')]) == 0
    assert (below / 'drawn' / picture.name).is_file()
    (row,) = json.loads((below / 'drawn' / 'predictions.json').read_text())
    assert Path(row['path']) == picture and len(row['faces']) == 1


@fault('I02')
def test_the_current_folder_may_be_read_only(folder, as_nobody) -> None:
    def act() -> tuple[int, str]:
        with contextlib.redirect_stdout(io.StringIO()) as told:
            code = main([*words('a.png'), '--json'])
        return code, told.getvalue()

    os.chmod(folder, 0o555)
    refused = as_nobody(lambda: Path('new').touch())
    assert isinstance(refused, PermissionError)  # so the folder is one that cannot be written
    result = as_nobody(act)
    assert isinstance(result, tuple), repr(result)
    assert result[0] == 0 and len(json.loads(result[1])[0]['faces']) == 1
    assert {path.name for path in folder.iterdir()} == {'a.png', 'best.pth'}


@pytest.mark.slow
@pytest.mark.parametrize('change, drop', [
    pytest.param({}, 'HOME', marks=fault('I03')), pytest.param({'TMPDIR': '/nowhere'}, '', marks=fault('I04')),
    pytest.param({'PYTHONIOENCODING': ''}, 'DISPLAY', marks=fault('I08')),
    pytest.param({'LANG': 'C', 'LC_ALL': 'C'}, '', marks=fault('I12'))])
def test_predict_in_other_surroundings(change, drop, folder) -> None:
    Path('a.png').rename('ü 顔.png')
    surroundings = os.environ | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'} | change
    surroundings.pop(drop, None)
    done = subprocess.run([sys.executable, '-m', 'facelmk.cli', *words('ü 顔.png'), '--out', 'drawn'],
                          env=surroundings, capture_output=True, encoding='utf-8', errors='replace')
    assert done.returncode == 0 and 'Traceback' not in done.stderr, done.stderr
    assert Path('drawn/ü 顔.png').is_file()
