"""The quiet console: warnings and notes reach it, mmengine's lines do not, and programs with their own Runner keep theirs."""

import logging
import shlex
import subprocess
import sys

import pytest
from mmengine.logging import MMLogger, print_log
from processes import environment

from facelmk.engine.console import ConsoleHandler, quiet_console
from facelmk.engine.runner import FaceRunner
from facelmk.files.notes import note


@pytest.fixture
def logger(request: pytest.FixtureRequest, tmp_path) -> MMLogger:
    """A new logger with a file, as a Runner has one."""
    return MMLogger.get_instance(request.node.name, log_file=str(tmp_path / 'run.log'))


def quietened(logger: MMLogger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a Runner build this logger."""
    monkeypatch.setattr('mmengine.runner.Runner.build_logger', lambda *_, **__: logger)
    assert FaceRunner.__new__(FaceRunner).build_logger() is logger


def test_what_is_printed_and_what_the_file_keeps(logger, tmp_path, capsys, monkeypatch) -> None:
    with quiet_console():
        quietened(logger, monkeypatch)
        logger.info('Epoch(train) [1][5/5]')
        note('--fast: bf16', logger)
        print_log('"FileClient" will be deprecated in future.', logger, logging.WARNING)
        logger.warning('a batch is dropped')
        logger.error('it failed')
    printed = capsys.readouterr()
    assert printed.out == '--fast: bf16\n'
    assert printed.err == 'warning: a batch is dropped\nerror: it failed\n'
    written = (tmp_path / 'run.log').read_text()
    assert all(text in written for text in ('Epoch(train)', '--fast', 'FileClient', 'dropped', 'it failed'))
    assert written.startswith('20') and ' - mmengine - INFO - Epoch(train)' in written


def test_afterwards_a_logger_prints_as_before(logger, monkeypatch) -> None:
    with quiet_console():
        quietened(logger, monkeypatch)
        assert isinstance(logger.handlers[0], ConsoleHandler)
    assert type(logger.handlers[0]) is logging.StreamHandler and len(logger.handlers) == 2


def test_other_ranks_print_errors_alone(logger, capsys, monkeypatch) -> None:
    monkeypatch.setenv('RANK', '1')
    with quiet_console():
        quietened(logger, monkeypatch)
        note('a note', logger)
        logger.warning('a warning')
        logger.error('an error')
    assert capsys.readouterr() == ('', 'error: an error\n')


@pytest.mark.parametrize('verbose', [True, None], ids=['-v', "a program's own Runner"])
def test_otherwise_the_console_is_mmengines(verbose, logger, monkeypatch) -> None:
    if verbose:
        with quiet_console(quiet=False):
            quietened(logger, monkeypatch)
    else:
        quietened(logger, monkeypatch)
    assert type(logger.handlers[0]) is logging.StreamHandler
    assert not any(isinstance(handler, ConsoleHandler) for handler in logger.handlers)


READERLESS = """
import multiprocessing, sys
from facelmk.engine.console import show
for number in range(20_000):
    show(f'epoch {number} of 20000')
worker = multiprocessing.get_context('fork').Process(target=print)  # its start flushes stdout
worker.start(); worker.join()
print('trained', file=sys.stderr)
"""


def test_a_reader_that_has_gone_does_not_end_the_run() -> None:
    command = f'{shlex.quote(sys.executable)} -c {shlex.quote(READERLESS)} | head -1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment(), check=True)
    assert (done.stdout, done.stderr) == ('epoch 0 of 20000\n', 'trained\n')
