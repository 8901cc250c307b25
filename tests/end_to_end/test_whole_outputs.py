"""Commands in processes of their own: killed at any moment they leave the earlier output; two trainings never share."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from disturbances import snapshot
from processes import environment, start_tool, tiny_options

pytestmark = pytest.mark.slow
FACES = 150


@pytest.fixture(scope='module')
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tables of the same faces with other points."""
    folder = tmp_path_factory.mktemp('tables')
    generator = np.random.default_rng(0)
    header = ','.join(
        ['image_name,scale,center_w,center_h', *(f'original_{i}_{axis}' for i in range(106) for axis in 'xy')]
    )
    for i in range(FACES):
        cv2.imwrite(str(folder / f'{i}.png'), generator.integers(0, 255, (64, 64, 3), np.uint8))
    for number in range(2):
        rows = [','.join([f'{i}.png,0.3,30,30', *map(str, generator.uniform(5, 60, 212))]) for i in range(FACES)]
        (folder / f'{number}.csv').write_text('\n'.join([header, *rows]) + '\n')
    return folder


def command(form: str, number: int) -> list[str]:
    ending = {'coco': '.json', 'csv': '.csv'}.get(form, '')
    words = f'data convert {number}.csv --markup lapa --to {form} --pictures copy --out out_{form}/set{ending}'
    return [sys.executable, '-m', 'facelmk.cli', *words.split()]


def contents(folder: Path) -> dict[str, bytes]:
    return {name: content for name, (_, content) in snapshot(folder).items() if '.tmp' not in name}


def drafts(folder: Path) -> set[tuple[str, int]]:
    return {(name, number) for name, (number, _) in snapshot(folder).items() if '.tmp' in name}


@pytest.mark.fault('M03', 'M04')
@pytest.mark.parametrize('form', ['pts', 'lapa', 'coco', 'csv'])
def test_a_conversion_that_is_stopped_at_any_moment_leaves_one_of_the_two_sets(form: str, tables: Path) -> None:
    """The moments are spread over the time that the undisturbed command takes."""
    sets, out = [], tables / f'out_{form}'
    for number in range(2):
        start = time.monotonic()
        subprocess.run(command(form, number), cwd=tables, env=environment(), check=True, capture_output=True)
        took = time.monotonic() - start
        sets.append(contents(out))
    assert sets[0].keys() == sets[1].keys() and sets[0] != sets[1]
    stopped = 0
    for number in range(8):
        how = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT)[number % 4]
        left_before = drafts(out)  # of a SIGKILL
        process = subprocess.Popen(
            command(form, number % 2), cwd=tables, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        time.sleep(took * random.Random(number).uniform(0.5, 1))
        process.send_signal(how)
        error = process.communicate()[1]
        stopped += process.returncode != 0
        assert contents(out) in sets, number
        if process.returncode > 0 and how != signal.SIGKILL:  # else Python was still starting
            assert process.returncode == 128 + how, error[-2000:]
            assert drafts(out) <= left_before and b'Traceback' not in error
    assert stopped
    subprocess.run(command(form, 0), cwd=tables, env=environment(), check=True, capture_output=True)
    assert contents(out) == sets[0] and snapshot(out).keys() == sets[0].keys()


@pytest.mark.fault('M10')
def test_of_two_trainings_at_the_same_time_one_ends_with_exit_code_2(tmp_path: Path) -> None:
    for number in range(2):
        with (tmp_path / 'a.txt').open('w') as a, (tmp_path / 'b.txt').open('w') as b:
            words = ('quickstart', '--work-dir', f'run{number}', *tiny_options())
            both = [start_tool('train.py', *words, cwd=tmp_path, output=output) for output in (a, b)]
            codes = [process.wait(timeout=150) for process in both]
        assert sorted(codes) == [0, 2], (tmp_path / 'a.txt').read_text()[-3000:]
        winner = both[codes.index(0)].pid
        refused = (tmp_path / ('a.txt', 'b.txt')[codes.index(2)]).read_text()
        assert str(winner) in refused and 'Traceback' not in refused
        assert len(list((tmp_path / f'run{number}').glob('2*'))) == 1  # one log
        assert sorted(path.name for path in (tmp_path / f'run{number}').glob('.*')) == []


@pytest.mark.fault('M09', 'M11', 'M13')
def test_a_copy_of_a_run_that_was_killed_resumes_beside_it(tmp_path: Path, launch) -> None:
    """The copy holds the lock file, too."""
    words = ('--work-dir', 'run', *tiny_options(epochs=60, workers=1))
    process = launch('train.py', 'quickstart', *words, cwd=tmp_path)
    while not (tmp_path / 'run' / 'epoch_2.pth').exists():
        assert process.poll() is None
        time.sleep(0.2)
    copy = ['cp', '-r', str(tmp_path / 'run'), str(tmp_path / 'copy')]
    subprocess.run(copy, check=True)
    epochs = max(int(path.stem[6:]) for path in (tmp_path / 'copy').glob('epoch_*.pth')) + 1
    with (tmp_path / 'resumed.txt').open('w') as output:
        options = ('--work-dir', 'copy', '--resume', *tiny_options(epochs=epochs))
        code = start_tool('train.py', 'quickstart', *options, cwd=tmp_path, output=output).wait(timeout=150)
    assert code == 0 and f'copy{os.sep}epoch_' in (tmp_path / 'resumed.txt').read_text()
    process.kill()
    process.wait()
    with (tmp_path / 'taken.txt').open('w') as output:  # at once: the worker of the killed run may still live
        options = ('--work-dir', 'run', '--resume', *tiny_options(epochs=3))
        code = start_tool('train.py', 'quickstart', *options, cwd=tmp_path, output=output).wait(timeout=150)
    assert code == 0 and str(process.pid) in (tmp_path / 'taken.txt').read_text()
