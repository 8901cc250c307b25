"""Processes that share jobs: a dead one is an error, and none is left behind."""

import contextlib
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from facelmk.errors import DataDefect, TrainingFault
from facelmk.files import processes
from facelmk.files.processes import run_in_processes
from facelmk.files.signals import SIGNALS, Stopped, graceful_shutdown

fault = pytest.mark.fault
pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork')
PATIENCE_S = 20


def square(number):
    return number * number


EARLIER = set()  # processes of other tests, such as the workers of a data loader that lives on


@pytest.fixture(autouse=True)
def earlier_processes():
    EARLIER.clear()
    EARLIER.update(multiprocessing.active_children())


def new_processes():
    return set(multiprocessing.active_children()) - EARLIER


@pytest.mark.parametrize('workers', [0, 1, 2, 5, 40])
def test_all_jobs_are_done_once(workers):
    assert sorted(run_in_processes(square, range(9), workers)) == [number * number for number in range(9)]
    assert not new_processes()


def act(job):
    if callable(job):
        job()
    return os.getpid()


def defect():
    raise DataDefect('faces.csv, row 7: no number')


class Unpicklable(Exception):
    def __init__(self, one, two):
        super().__init__(f'{one} and {two}')


def unpicklable():
    raise Unpicklable(1, 2)


def leave():
    os._exit(3)


def forever():
    time.sleep(60)


@pytest.mark.parametrize(
    ('job', 'error', 'text'), [(defect, DataDefect, 'row 7'), (unpicklable, RuntimeError, 'Unpicklable: 1 and 2')]
)
def test_an_error_is_raised_as_in_the_process(job, error, text):
    with pytest.raises(error, match=text) as caught:
        list(run_in_processes(act, [forever, job], 2))
    assert job.__name__ in str(caught.value.__cause__)
    assert not new_processes()


@fault('L04')
@pytest.mark.parametrize('job', [leave, *(lambda n=number: os.kill(os.getpid(), n) for number in (9, 10, 15))])
def test_a_process_that_dies_is_an_error(job):
    start = time.monotonic()
    with pytest.raises(TrainingFault, match=r'exit code 3|SIGKILL.*memory|SIGUSR1|SIGTERM') as caught:
        list(run_in_processes(act, [forever, job, job], 2))
    assert caught.value.exit_code == 5 and time.monotonic() - start < PATIENCE_S
    assert not new_processes()


@fault('L04')
def test_a_process_that_hangs_is_an_error(monkeypatch):
    monkeypatch.setattr(processes, 'POLL_S', 0.05)
    monkeypatch.setattr(processes, 'PATIENCE_S', 0.2)
    with pytest.raises(TrainingFault, match='nothing'):
        list(run_in_processes(act, [forever, forever], 2))
    assert not new_processes()


def test_a_reader_that_stops_early_ends_the_processes():
    results = run_in_processes(act, [None, None, forever, forever], 2)
    assert next(results) != os.getpid()
    results.close()
    assert not new_processes()


def write_pid(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)


def is_alive(number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, 0)
        return Path(f'/proc/{number}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    return False


def wait_for(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@fault('L05', 'L01')
@pytest.mark.skipif(not Path('/proc/self').is_dir(), reason='no list of processes here')
@pytest.mark.parametrize('number', [signal.SIGKILL, *SIGNALS])
@pytest.mark.parametrize('inside', [True, False], ids=['inside', 'outside'])
def test_no_process_is_left_when_the_parent_ends(number, inside, tmp_path):
    parent = os.fork()
    if parent == 0:
        code = 1
        for each in SIGNALS:  # as in a process that a shell starts
            signal.signal(each, signal.SIG_DFL)
        try:
            with graceful_shutdown() if inside else contextlib.nullcontext():
                list(run_in_processes(write_pid, [tmp_path, tmp_path], 2))
        except Stopped as stop:
            code = stop.exit_code
        finally:
            os._exit(code)
    wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
    os.kill(parent, number)
    start = time.monotonic()
    code = os.waitstatus_to_exitcode(os.waitpid(parent, 0)[1])
    assert code == (128 + number if inside and number != signal.SIGKILL else -number)
    children = [int(path.name) for path in tmp_path.iterdir()]
    wait_for(lambda: not any(map(is_alive, children)))
    assert time.monotonic() - start < PATIENCE_S
