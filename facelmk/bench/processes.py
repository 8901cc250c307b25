"""Time two sides in turns, each in a process of its own, as loader workers are: their memory is not shared."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .row import ROUNDS, Row, Timing, Work


def compare_in_processes(
    quantity: str, ours: Work, peer: Work, peer_name: str, note: str = '', items: int = 1, seconds: float = 8.0
) -> Row:
    """Time `ours` and `peer` in turns, after one warm-up call of each; the arguments are those of `compare`."""
    with _process(ours) as run_ours, _process(peer) as run_peer:
        length = run_ours().wall + run_peer().wall
        least, most = ROUNDS
        count = min(max(int(seconds / length), least), most)
        rounds = [(run_ours(), run_peer()) for _ in range(count)]
    medians = [_median(column, items) for column in zip(*rounds, strict=True)]
    ratios = tuple(second.cpu / first.cpu for first, second in rounds if first.cpu > 0)
    return Row(quantity, medians[0], medians[1], peer_name, note, ratios, count)


def _median(timings: tuple[Timing, ...], items: int) -> Timing:
    cpu, wall = ([getattr(timing, name) for timing in timings] for name in ('cpu', 'wall'))
    return Timing(statistics.median(cpu) / items, statistics.median(wall) / items)


@contextmanager
def _process(work: Work) -> Iterator[Callable[[], Timing]]:
    """Yield a function that runs `work` once in a child process and returns its time."""
    context: Any = multiprocessing.get_context('fork')
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(work, there), daemon=True)
    process.start()
    there.close()

    def run() -> Timing:
        here.send('run')
        result = here.recv()
        if isinstance(result, Exception):
            raise result
        return Timing(*result)

    try:
        yield run
    finally:
        here.close()
        process.join(1)
        process.kill()


def _serve(work: Work, pipe: Any) -> None:
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            work()
        except Exception as error:
            pipe.send(error)
            return
        pipe.send((time.process_time() - cpu, time.perf_counter() - wall))
