"""Weight files that ask for much memory or time load or are refused, in time and memory that their size allows."""

import ctypes
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.weight_bombs import BOMBS
from helpers.weight_files import write
from torch import nn

from facelmk.checkpoint import limits, load_checkpoint
from facelmk.errors import FacelmkError

TESTS = Path(__file__).parents[1]
MAX_SECONDS, FREE_MB, COPIES = 2, 30, 3
FAST_BYTES, LARGE_BYTES = 600_000, 19_500_000


def memory_mb(field: str) -> float:
    """The memory of this process, in MB: VmRSS now, VmHWM at most since `forget_peak`."""
    return int(Path('/proc/self/status').read_text().split(f'{field}:')[1].split()[0]) / 1024


def forget_peak() -> None:
    Path('/proc/self/clear_refs').write_text('5')


def use(path: Path) -> None:
    """Read a file, look at each tensor and translate the names, as each command does that gets weights."""
    load_checkpoint(nn.Linear(1, 1), path, strict=False)


def measure(action: Callable[[], object]) -> tuple[float, float]:
    """The CPU seconds and the MB that an action takes; it may raise our own errors only."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # freed memory that the process still has would hide what is taken
    forget_peak()
    before, began = memory_mb('VmRSS'), time.process_time()
    try:
        action()
    except FacelmkError as error:
        assert error.exit_code == 2 and len(str(error)) < 2000
    return time.process_time() - began, memory_mb('VmHWM') - before


def assert_bounded(bomb: str, size: int, folder: Path, free_mb: float = FREE_MB) -> None:
    path = write(folder / 'x.pth', BOMBS[bomb](size))
    file_mb = path.stat().st_size / 1e6
    seconds, more_mb = measure(lambda: use(path))
    assert seconds < MAX_SECONDS and more_mb < COPIES * file_mb + free_mb, f'{seconds:.2f} s, {more_mb:.0f} MB more'


@pytest.fixture(autouse=True)
def linux() -> None:
    try:
        forget_peak()
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        pytest.skip('the peak memory of a process is read as Linux writes it')


@pytest.mark.fault('P01')
@pytest.mark.parametrize('bomb', BOMBS)
def test_a_bomb_takes_what_it_pays_for(bomb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With less that is free, smaller and faster files show whether each cost is right."""
    monkeypatch.setattr(limits, 'FREE_BYTES', 3_000_000)
    assert_bounded(bomb, FAST_BYTES, tmp_path, free_mb=9)


@pytest.mark.fault('P01')
def test_twenty_megabytes_are_answered_within_two_seconds(tmp_path: Path) -> None:
    in_a_process('measure_large(Path(sys.argv[1]))', tmp_path)


def in_a_process(code: str, *arguments: object) -> None:
    """Run code of this file in a process of its own: in one that has run many tests, growing lists leave more gaps."""
    code = f'import sys; from faults.test_weight_bombs import *; {code}'
    paths = os.pathsep.join(map(str, (TESTS, TESTS.parent)))
    command = [sys.executable, '-c', code, *map(str, arguments)]
    subprocess.run(command, check=True, env={**os.environ, 'PYTHONPATH': paths}, timeout=120)


def measure_large(folder: Path) -> None:
    for bomb in ('nested tuples', 'floats', 'small dicts'):
        assert_bounded(bomb, LARGE_BYTES, folder)


@pytest.mark.slow
@pytest.mark.parametrize('bomb', BOMBS)
def test_a_bomb_of_each_size(bomb: str, tmp_path: Path) -> None:
    in_a_process('measure_sizes(sys.argv[1], Path(sys.argv[2]))', bomb, tmp_path)


def measure_sizes(bomb: str, folder: Path) -> None:
    for size in (1_500_000, 8_300_000, LARGE_BYTES):  # the second is the longest header that is read
        assert_bounded(bomb, size, folder)
