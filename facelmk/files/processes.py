"""Child processes: they share jobs, end with their parent, and the death of one is an error."""

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import connection
from typing import Any, TypeVar

from ..errors import TrainingFault
from .signals import SIGNALS, check_signal, postponed

Job = TypeVar('Job')
Result = TypeVar('Result')
POLL_S = 0.5
PATIENCE_S = 600.0  # without a result of any process; time in which the parent does not run does not count


class WorkerError(Exception):
    """The traceback of a child process."""


def run_in_processes(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: int, start: Callable[[], object] | None = None
) -> Iterator[Result]:
    """Yield function(job) for all jobs, in any order; each of `workers` processes calls `start` first.

    An error of a process is raised here. A process that dies, or from which nothing is heard for PATIENCE_S, is a
    TrainingFault. All of them end when this generator ends. With one worker, this process does the jobs.
    """
    workers = min(workers, len(jobs))
    if workers < 2:
        yield from map(function, jobs)
        return
    children: dict[Any, Any] = {}  # the pipe and the process
    try:
        for number in range(workers):
            with postponed():  # a signal here would leave a process without a pipe to it
                pipe, process = _start(function, jobs[number::workers], start)
                children[pipe] = process
        yield from _results(children)
    finally:
        for process in children.values():
            process.kill()
            process.join()


def _start(function: Callable, jobs: Sequence, start: Callable | None) -> tuple[Any, Any]:
    method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else 'spawn'
    context: Any = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(function, jobs, start, sender, os.getpid()), daemon=True)
    process.start()
    sender.close()  # so that the pipe ends with the process
    return receiver, process


def _results(children: dict[Any, Any]) -> Iterator[Any]:
    """Yield what the processes send, until all have ended."""
    waiting, quiet_s = dict(children), 0.0
    while waiting:
        ready: list[Any] = connection.wait(list(waiting), POLL_S)
        check_signal()
        quiet_s = 0.0 if ready else quiet_s + POLL_S
        if quiet_s > PATIENCE_S:
            raise TrainingFault(f'{len(waiting)} processes have sent nothing for {PATIENCE_S:.0f} s, and are ended')
        for pipe in ready:
            try:
                error, value = pipe.recv()
            except EOFError:
                _check_end(waiting.pop(pipe))
                continue
            if error is not None:
                raise error from WorkerError(value)
            yield value


def _check_end(process: Any) -> None:
    process.join()
    if -process.exitcode in SIGNALS:
        time.sleep(POLL_S)  # a signal to the whole group reaches this process, too, and ends it here
        check_signal()
    if process.exitcode:
        code = -process.exitcode
        how = f'was killed by {signal.Signals(code).name}' if code > 0 else f'ended with exit code {-code}'
        memory = '. The most common cause is that the machine ran out of memory' if code == 9 else ''
        raise TrainingFault(f'process {process.pid} {how}{memory}')


def _work(function: Callable, jobs: Sequence, start: Callable | None, sender: Any, parent: int) -> None:
    """Do some of the jobs in a child process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        if start is not None:
            start()
        for job in jobs:
            sender.send((None, function(job)))
    except Exception as error:
        with suppress(BrokenPipeError):  # the parent has ended
            sender.send((_picklable(error), f'\n{traceback.format_exc()}'))


def _end_with(parent: int) -> None:
    """End this process when its parent has ended."""
    while os.getppid() == parent:
        time.sleep(POLL_S)
    os._exit(1)


def _picklable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f'{type(error).__name__}: {error}')
    return error


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
