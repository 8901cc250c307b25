"""Signals end a command at once, or at the end of the step that they interrupt; child processes do not inherit this."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from facelmk.files import signals
from facelmk.files.signals import SIGNALS, Stopped, graceful_shutdown, interruptible, postponed, stop_signal

fault = pytest.mark.fault
PATIENCE_S = 20


@fault('L01')
@pytest.mark.parametrize('number', SIGNALS)
def test_the_first_signal_ends_the_command(number):
    inherited = signal.signal(number, signal.SIG_DFL)  # nohup lets its program ignore SIGHUP
    try:
        with pytest.raises(Stopped) as caught, graceful_shutdown(), graceful_shutdown():
            signal.raise_signal(number)
            pytest.fail('the signal was ignored')
        assert caught.value.exit_code == 128 + number
        assert signal.getsignal(number) == signal.SIG_DFL and stop_signal() == 0
    finally:
        signal.signal(number, inherited)


@fault('L02')
def test_a_step_runs_to_its_end():
    steps = []
    with pytest.raises(Stopped), graceful_shutdown(), postponed():
        signal.raise_signal(signal.SIGTERM)
        steps.append(stop_signal())
        with postponed():
            steps.append(stop_signal())
        with interruptible():
            steps.append('after the step')
    assert steps == [signal.SIGTERM] * 2


def test_no_handler_of_errors_catches_a_signal():
    with pytest.raises(Stopped), graceful_shutdown():
        try:
            signal.raise_signal(signal.SIGINT)
        except Exception:
            pytest.fail('an `except Exception` caught it')


def test_a_signal_that_is_repeated_at_once_counts_once(monkeypatch):
    """`timeout` signals its command and its group; torchrun forwards a signal that the group already has."""
    calls = []
    before = signal.signal(signal.SIGTERM, lambda *_: calls.append(True))
    try:
        with pytest.raises(Stopped), graceful_shutdown(), postponed():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            assert stop_signal() == signal.SIGTERM and not calls
            monkeypatch.setattr(signals, 'REPEAT_S', -1.0)
            signal.raise_signal(signal.SIGTERM)
            assert calls == [True]
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(not hasattr(signal, 'SIGHUP'), reason='this system has no SIGHUP')
def test_nohup_is_respected():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with graceful_shutdown():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_change_nothing():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def run():
        with graceful_shutdown():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]


def handlers(_=None):
    return [str(signal.getsignal(number)) for number in SIGNALS], sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork')


@fault('L03')
@needs_fork
@pytest.mark.parametrize('mode', [interruptible, postponed])
def test_every_pool_that_is_started_inside_can_be_ended(mode):
    """The workers of a pool ended only by SIGKILL when they had inherited a handler that notes the signal."""
    expected = handlers()
    with graceful_shutdown(), mode():
        start = time.monotonic()
        with multiprocessing.get_context('fork').Pool(3) as pool:
            assert pool.map(handlers, range(6)) == [expected] * 6
            pool.apply_async(time.sleep, (60,))
        pool.join()  # the end of the block has sent SIGTERM
        assert time.monotonic() - start < PATIENCE_S


@fault('L03')
@needs_fork
def test_a_signal_right_after_the_fork_ends_the_child():
    with graceful_shutdown():
        for _ in range(30):
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            os.kill(child, signal.SIGTERM)
            start = time.monotonic()
            status = os.waitpid(child, 0)[1]
            assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGTERM
            assert time.monotonic() - start < PATIENCE_S


@needs_fork
def test_a_signal_during_a_fork_is_not_lost(monkeypatch):
    """Python drops an error that is raised inside of the hooks of a fork."""
    calls, set_mask = [], signal.pthread_sigmask

    def set_after_a_signal(how, mask):
        calls.append(how)
        if calls == [signal.SIG_BLOCK, signal.SIG_SETMASK] and os.getpid() == parent:
            os.kill(parent, signal.SIGTERM)
        return set_mask(how, mask)

    parent = os.getpid()
    monkeypatch.setattr(signal, 'pthread_sigmask', set_after_a_signal)
    with pytest.raises(Stopped), graceful_shutdown():
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        time.sleep(PATIENCE_S)
    assert calls == [signal.SIG_BLOCK, signal.SIG_SETMASK]


def test_torch_raises_no_error_for_the_workers_that_a_signal_ends():
    calls = []
    before = signal.signal(signal.SIGCHLD, lambda *_: calls.append(True))
    try:
        with pytest.raises(Stopped), graceful_shutdown(), postponed():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGCHLD)
        assert not calls
        signal.raise_signal(signal.SIGCHLD)
        assert calls == [True]
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_outside_of_a_command_the_handler_from_before_gets_a_postponed_signal():
    steps = []
    before = signal.signal(signal.SIGTERM, lambda *_: steps.append('handler'))
    try:
        with postponed():
            signal.raise_signal(signal.SIGTERM)
            steps.append('end of the step')
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert steps == ['end of the step', 'handler', 'handler']


def test_another_thread_postpones_no_signal_of_the_main_thread():
    entered, leave = threading.Event(), threading.Event()

    def wait_in_a_step():
        with postponed():
            entered.set()
            leave.wait(PATIENCE_S)

    thread = threading.Thread(target=wait_in_a_step)
    with pytest.raises(Stopped), graceful_shutdown():
        try:
            thread.start()
            entered.wait(PATIENCE_S)
            signal.raise_signal(signal.SIGTERM)
            pytest.fail('the signal was postponed')
        finally:
            leave.set()
            thread.join()
