"""One thread that runs the network, for one picture after the other: its memory does not grow with the clients."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from .answers import Refusal


class Job(NamedTuple):
    """A call, and the future of its result."""

    future: 'Future[Any]'
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Worker:
    """A thread with a queue. `waiting` calls may wait, each at most `wait_s`."""

    def __init__(self, waiting: int, wait_s: float) -> None:
        self.wait_s, self.waiting = wait_s, waiting
        self.busy = 0  # calls that run or wait
        self.lock = threading.Lock()
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._work, name='facelmk-serve', daemon=True)
        self.thread.start()

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return the result of a call in the thread; refuse it if too many calls wait."""
        if self.busy > self.waiting:
            raise Refusal(503, f'{self.waiting} pictures are waiting already. Try again', Retry_After='2')
        self._count(1)
        future: Future[Any] = Future()
        self.jobs.put(Job(future, function, arguments))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.wait_s)
        except asyncio.TimeoutError as error:
            raise Refusal(503, f'No answer within {self.wait_s:g} seconds. Try again', Retry_After='5') from error

    def stop(self, patience_s: float) -> None:
        """End the thread after the call that is running; the thread does not keep the program from ending."""
        self.jobs.put(None)
        self.thread.join(patience_s)

    def _work(self) -> None:
        while self._run_one(self.jobs.get()):
            pass

    def _run_one(self, job: Job | None) -> bool:
        """Run one call. This is a function so that the thread keeps no picture while it waits."""
        if job is None:
            return False
        try:
            if job.future.set_running_or_notify_cancel():
                job.future.set_result(job.function(*job.arguments))
        except Exception as error:
            job.future.set_exception(error)
        finally:
            self._count(-1)
        return True

    def _count(self, change: int) -> None:
        with self.lock:
            self.busy += change
