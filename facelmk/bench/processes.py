"""Time two sides in turns, each in a process of its own, as loader workers are: their memory is not shared."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .row import Row, Timing, Work, make_row, round_count


def compare_in_processes(
    quantity: str, ours: Work, peer: Work, peer_name: str, note: str = '', items: int = 1, seconds: float = 8.0
) -> Row:
    """Time `ours` and `peer` in turns, after one warm-up call of each; the arguments are those of `compare`."""
    with _process(ours) as run_ours, _process(peer) as run_peer:
        count = round_count(seconds, run_ours().wall + run_peer().wall)
        rounds = [(run_ours(), run_peer()) for _ in range(count)]
    mine, theirs = zip(*rounds, strict=True)
    return make_row(quantity, mine, theirs, peer_name, note, items)


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
