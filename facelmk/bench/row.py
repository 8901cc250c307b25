"""One row of the benchmark: two pieces of code that do the same, timed in turns."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from ..files.collector import pause_collector

try:
    import resource
except ImportError:  # Windows, where the time of child processes is missing
    resource = None  # type: ignore[assignment]

Work = Callable[[], object]
ROUND_S = 0.02  # a round repeats faster code until it takes about as long: clocks and schedulers are not finer
ROUNDS = (3, 51)  # the least and the largest number of rounds
NOT_MEASURED = 'not measured'


@dataclass(frozen=True)
class Options:
    """What the user chose: fewer rounds and smaller data (`quick`), and the threads of torch and OpenCV."""

    quick: bool = False
    threads: int = 1

    @property
    def seconds(self) -> float:
        """The time that the rounds of one row may take; the least number of rounds may take longer."""
        return 2.0 if self.quick else 8.0


@dataclass(frozen=True)
class Timing:
    """Seconds of one call or item: CPU time of all threads and of ended child processes, and time of the clock."""

    cpu: float
    wall: float

    @property
    def size(self) -> float:
        """What ratios compare: CPU time, which depends little on other programs."""
        return self.cpu

    def __str__(self) -> str:
        return with_unit(self.cpu, 's')


@dataclass(frozen=True)
class Amount:
    """Something other than time, such as Amount(196_608, 'B')."""

    size: float
    unit: str

    def __str__(self) -> str:
        return with_unit(self.size, self.unit)


@dataclass(frozen=True)
class Row:
    """One row of the table. Less is better; `ours` is None if it was not measured, and the note says why."""

    quantity: str  # such as 'decode, quarter shift, 64 x 98 x 64 x 64'
    ours: Timing | Amount | None
    peer: Timing | Amount | None = None
    peer_name: str = ''  # such as 'MMPose 1.3.2', or 'MMPose-style code'
    note: str = ''  # such as the largest difference of the results
    ratios: tuple[float, ...] = ()  # of the rounds: how many times as much the peer takes
    rounds: int = 0
    p95: float | None = None  # CPU seconds that 95 % of the rounds of ours stay below

    @property
    def ratio(self) -> float | None:
        """How many times as much the peer takes: the median of the rounds."""
        if self.ours is None or self.peer is None:
            return None
        return statistics.median(self.ratios) if self.ratios else self.peer.size / self.ours.size

    @property
    def ratio_range(self) -> tuple[float, float] | None:
        """The quartiles of the ratios of the rounds."""
        if len(self.ratios) < 2:
            return None
        low, _, high = statistics.quantiles(self.ratios, n=4, method='inclusive')
        return low, high


def not_measured(quantity: str, reason: str) -> Row:
    """Return the row of something that this machine cannot measure, such as a package that is missing."""
    return Row(quantity, None, note=f'{NOT_MEASURED}: {reason}')


def measure(
    quantity: str, ours: Work, note: str = '', items: int = 1, seconds: float = 8.0, rounds: int | None = None
) -> Row:
    """Time `ours` alone; the arguments are those of `compare`."""
    return compare(quantity, ours, None, '', note, items, seconds, rounds)


def compare(
    quantity: str,
    ours: Work,
    peer: Work | None,
    peer_name: str,
    note: str = '',
    items: int = 1,
    seconds: float = 8.0,
    rounds: int | None = None,
) -> Row:
    """Time `ours` and `peer` in turns, and return the medians; the arguments are those of `compare_all`."""
    return compare_all({quantity: ours}, peer, peer_name, note, items, seconds, rounds)[0]


def compare_all(
    ours: Mapping[str, Work],
    peer: Work | None,
    peer_name: str,
    note: str = '',
    items: int = 1,
    seconds: float = 8.0,
    rounds: int | None = None,
) -> list[Row]:
    """Time several works of ours and one peer in turns, after warm-up calls, and return a row for each quantity.

    One call handles `items` items (samples, faces), and the row has the time of one. The number of rounds is what fits
    into `seconds` for each row, within ROUNDS, or else `rounds`. Garbage is collected between the calls, never inside
    of them.
    """
    works = [*ours.values(), *([] if peer is None else [peer])]
    gc.collect()
    gc.freeze()  # what is there now needs no further look, and the collections between the calls are short
    try:
        lengths = [_warm_up(work) for work in works]
        calls = [max(1, math.ceil(ROUND_S / max(length, 1e-9))) for length in lengths]
        one_round = sum(count * length for count, length in zip(calls, lengths, strict=True))
        count = rounds or round_count(seconds * len(ours), one_round)
        timings = [_round(works, calls, backwards=i % 2 == 1) for i in range(count)]
    finally:
        gc.unfreeze()
    columns = list(zip(*timings, strict=True))
    theirs = None if peer is None else columns[-1]
    return [
        make_row(quantity, column, theirs, peer_name, note, items)
        for quantity, column in zip(ours, columns, strict=False)
    ]


def make_row(
    quantity: str, ours: Sequence[Timing], peer: Sequence[Timing] | None, peer_name: str, note: str = '', items: int = 1
) -> Row:
    """Return the row of rounds that were timed: medians, and the ratios of the rounds."""
    p95 = float(np.quantile([timing.cpu / items for timing in ours], 0.95))
    row = Row(quantity, _median(ours, items), None, peer_name, note, rounds=len(ours), p95=p95)
    if peer is None:
        return row
    ratios = tuple(b.cpu / a.cpu for a, b in zip(ours, peer, strict=True) if a.cpu > 0)
    return replace(row, peer=_median(peer, items), ratios=ratios)


def timed(work: Work, calls: int) -> Timing:
    """Return the time of one call, the mean of `calls`."""
    gc.collect()
    with pause_collector():
        cpu, wall = cpu_seconds(), time.perf_counter()
        for _ in range(calls):
            work()
        return Timing((cpu_seconds() - cpu) / calls, (time.perf_counter() - wall) / calls)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its child processes that have ended."""
    seconds = time.process_time()
    with suppress(AttributeError):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds += children.ru_utime + children.ru_stime
    return seconds


def with_unit(value: float, unit: str) -> str:
    """Return a value with three digits, seconds and bytes with a prefix: 0.00373 s as '3.73 ms'."""
    if value == 0 or not math.isfinite(value) or unit not in ('s', 'B'):
        return f'{value:.3g} {unit}'
    prefixes = {-3: 'n', -2: 'µ', -1: 'm', 0: '', 1: 'k', 2: 'M', 3: 'G'}
    if unit == 's':  # kiloseconds are unusual
        prefixes = {power: prefix for power, prefix in prefixes.items() if power <= 0}
    rounded = float(f'{value:.3g}')
    power = min(max(math.floor(math.log10(abs(rounded)) / 3), min(prefixes)), max(prefixes))
    scaled = float(f'{value / 1000.0**power:.3g}')
    return f'{scaled:g} {prefixes[power]}{unit}'


def _warm_up(work: Work) -> float:
    """Return the seconds of one call, the fastest of up to three: the first one may also load or compile."""
    first = timed(work, 1).wall
    return first if first > ROUND_S else min(first, timed(work, 1).wall, timed(work, 1).wall)


def round_count(seconds: float, one_round: float) -> int:
    """Return how many rounds fit into a time, within ROUNDS."""
    least, largest = ROUNDS
    return min(max(int(seconds / one_round), least), largest)


def _round(works: list[Work], calls: list[int], backwards: bool) -> list[Timing]:
    """Time each work once, every second time in the opposite order, and return the times in the order of `works`."""
    order = list(range(len(works)))[:: -1 if backwards else 1]
    times = {i: timed(works[i], calls[i]) for i in order}
    return [times[i] for i in range(len(works))]


def _median(timings: Sequence[Timing], items: int) -> Timing:
    cpu = statistics.median(timing.cpu for timing in timings)
    return Timing(cpu / items, statistics.median(timing.wall for timing in timings) / items)
