"""Mutated annotations and pictures are read or raise our own errors, fast and with little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .fuzzing import KINDS, PICTURES

ROOT = Path(__file__).parents[2]


def read_mutated(kind: str, count: int, folder: Path) -> None:
    """Read in a separate process, because a C library may crash."""
    if kind.startswith('mat'):
        pytest.importorskip('h5py'), pytest.importorskip('scipy')
    paths = [str(ROOT), str(ROOT / 'tests'), os.environ.get('PYTHONPATH', '')]
    done = subprocess.run(
        [sys.executable, '-m', 'faults.fuzzing', kind, str(count), str(folder)],
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        check=False,
    )
    assert done.returncode == 0, f'ended with {done.returncode}: {done.stderr[-2000:]}'
    result = json.loads(done.stdout.splitlines()[-1])
    print(result)
    assert not result['escaped'] and 'wrong' not in result['ends'] and sum(result['ends'].values()) == count
    assert result['slowest'][0] < 2 and result['more_mib'] < 500
    assert len(result['ends']) > 1  # some are read, some are refused


@pytest.mark.parametrize(
    'kind', [*KINDS, 'jpeg', *(pytest.param(kind, marks=pytest.mark.slow) for kind in PICTURES if kind != 'jpeg')]
)
def test_sixty_mutated_files(kind: str, tmp_path: Path) -> None:
    read_mutated(kind, 60, tmp_path / 'some')


@pytest.mark.slow
@pytest.mark.parametrize('packed', ['0', '1'])
@pytest.mark.parametrize('kind', KINDS)
def test_two_thousand_mutated_files(kind: str, packed: str, tmp_path: Path) -> None:
    if packed == '0' or kind == 'mat5':
        read_mutated(kind, 2000, tmp_path / f'many{packed}')


@pytest.mark.slow
@pytest.mark.parametrize('kind', PICTURES)
def test_a_thousand_mutated_pictures(kind: str, tmp_path: Path) -> None:
    read_mutated(kind, 1000, tmp_path / 'many')
