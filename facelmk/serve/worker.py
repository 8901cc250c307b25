"""One thread that runs the network, for one picture after the other: its memory does not grow with the clients."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from .answers import Refusal

LOOK_S = 0.05  # between two looks whether the client is still there


class Job:
    """A call, and the future of its result. A call that is over or cancelled keeps no picture in memory."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.future: Future[Any] = Future()
        self.function, self.arguments = function, arguments
        self.future.add_done_callback(self._drop)

    def _drop(self, future: 'Future[Any]') -> None:
        self.arguments = ()

    def run(self) -> None:
        """Call the function, unless the call was cancelled."""
        arguments = self.arguments
        if self.future.set_running_or_notify_cancel():
            try:
                result = self.function(*arguments)
            except Exception as error:
                self.future.set_exception(error)
            else:
                self.future.set_result(result)


class Worker:
    """A thread with a queue. `waiting` calls may wait, each at most `wait_s`."""

    def __init__(self, waiting: int, wait_s: float) -> None:
        self.wait_s, self.waiting = wait_s, waiting
        self.busy = 0  # calls that run or wait
        self.lock = threading.Lock()
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._work, name='facelmk-serve', daemon=True)
        self.thread.start()

    async def run(self, is_gone: Callable[[], bool], function: Callable[..., Any], *arguments: Any) -> Any:
        """Return the result of a call in the thread; refuse it if too many calls wait.

        A call whose client `is_gone` leaves the queue, so that it takes no place of the others.
        """
        if self.busy > self.waiting:
            raise Refusal(503, f'{self.waiting} pictures are waiting already. Try again', Retry_After='2')
        job = Job(function, arguments)
        self._count(1)
        job.future.add_done_callback(lambda future: self._count(-1))
        self.jobs.put(job)
        result, latest = asyncio.wrap_future(job.future), time.monotonic() + self.wait_s
        try:
            while not (await asyncio.wait({result}, timeout=min(LOOK_S, self.wait_s)))[0]:
                if is_gone():
                    raise ConnectionResetError
                if time.monotonic() > latest:
                    raise Refusal(503, f'No answer within {self.wait_s:g} seconds. Try again', Retry_After='5')
        finally:
            result.cancel()
        return result.result()

    def stop(self, patience_s: float) -> None:
        """End the thread after the call that is running; the thread does not keep the program from ending."""
        self.jobs.put(None)
        self.thread.join(patience_s)

    def _work(self) -> None:
        while self._run_one():
            pass

    def _run_one(self) -> bool:
        """Run one call. This is a function so that the thread keeps no picture while it waits."""
        job = self.jobs.get()
        if job is not None:
            job.run()
        return job is not None

    def _count(self, change: int) -> None:
        with self.lock:
            self.busy += change
