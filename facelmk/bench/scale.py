"""Large annotation files: the first start, the next ones, the memory of the processes, and one face.

`FACELMK_BENCH_FACES=1000000 facelmk bench scale` tries a million faces, which need 5 GB of memory and of disk.
"""

import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets import CocoFaces
from ..datasets.pack_file import PackedFaces
from .baseline.annotations import PickledFaces
from .row import Amount, Options, Row, Timing, cpu_seconds, not_measured, with_unit

POINTS, STEP = 98, 1000
MAX_PEER_FACES = 20_000  # more are computed: pickled dicts of a million faces take 20 GB while they are made
PEER = 'MMPose-style code'
STATUS = Path('/proc/self/smaps_rollup')


def rows(options: Options) -> Iterator[Row]:
    """Yield the rows of one number of faces."""
    if not STATUS.exists():
        yield not_measured('memory of processes', 'it needs Linux')
        return
    count = int(os.environ.get('FACELMK_BENCH_FACES', 2_000 if options.quick else 100_000))
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, 'a.json'), Path(folder, 'b.json')
        write_annotations(ours, count)
        write_annotations(theirs, min(count, MAX_PEER_FACES))
        yield from compare_starts(ours, theirs, Path(folder, 'packed'), count)


def compare_starts(ours: Path, theirs: Path, packed: Path, count: int) -> Iterator[Row]:
    """Yield the rows of two files; the second file may be smaller."""
    peer = _in_child(lambda: _start(lambda: PickledFaces(theirs)))
    factor = count / peer['count']
    note = f'the peer at {peer["count"]:,} faces, times {factor:g}' if factor > 1 else ''
    peer_start, kept = Timing(peer['cpu'] * factor, peer['wall'] * factor), Amount(peer['kept'] * factor, 'B')
    first = _in_child(lambda: _start(lambda: _read(ours, packed)))
    second = _in_child(lambda: _start(lambda: _read(ours, packed)))
    states = f'{count:,} faces'
    if not second['is_packed']:
        states += ' (too few for a packed file)'
    yield _row(f'first start, {states}', first, peer_start, note)
    yield _row(f'next start, {states}', second, peer_start, note)
    yield Row(f'memory kept by a process, {states}', Amount(second['kept'], 'B'), kept, PEER, note)
    loader, worker = Amount(second['loader'], 'B'), Amount(peer['loader'] * factor, 'B')
    text = 'private memory after each face was read once'
    yield Row(f'a forked loader, {states}', loader, worker, PEER, '; '.join(filter(None, (text, note))))
    yield Row(f'one face of {count:,}', Timing(*second['face']), Timing(*peer['face']), PEER)


def _row(quantity: str, ours: dict[str, Any], peer: Timing, note: str) -> Row:
    timing = Timing(ours['cpu'], ours['wall'])
    texts = (f'{with_unit(timing.wall, "s")} by the clock, {with_unit(ours["peak"], "B")} at most', note)
    return Row(quantity, timing, peer, PEER, '; '.join(filter(None, texts)))


def _read(file: Path, packed: Path) -> CocoFaces:
    return CocoFaces(str(file), packed=str(packed))


def _start(build: Callable[[], Any]) -> dict[str, Any]:
    """Return what it costs to build a data set, and what a loader that is forked then costs."""
    before, cpu, wall = private_bytes(), cpu_seconds(), time.perf_counter()
    data = build()
    result = {'cpu': cpu_seconds() - cpu, 'wall': time.perf_counter() - wall, 'count': len(data)}
    result |= {'kept': max(private_bytes() - before, 0), 'peak': _peak_bytes()}
    return result | _in_child(lambda: _loader(data)) | {'is_packed': isinstance(getattr(data, 'faces', 0), PackedFaces)}


def _loader(data: Any) -> dict[str, Any]:
    """Return the private memory of this process after it has read each face, and the time of one face."""
    order = np.random.default_rng(0).permutation(len(data))
    before, cpu, wall = private_bytes(), cpu_seconds(), time.perf_counter()
    for index in map(int, order):
        data.face(index)
    face = (cpu_seconds() - cpu) / len(data), (time.perf_counter() - wall) / len(data)
    return {'loader': max(private_bytes() - before, 0), 'face': face}


def private_bytes() -> int:
    """Return the memory that this process alone has: pages that another process maps, too, do not count."""
    return 1024 * sum(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith('Private_'))


def _peak_bytes() -> int:
    lines = Path('/proc/self/status').read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith('VmHWM'))


def _in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the result of a function that a forked process calls, whose memory is then free again."""
    context = multiprocessing.get_context('fork')
    receive, send = context.Pipe(duplex=False)

    def call() -> None:
        send.send(work())

    process = context.Process(target=call)
    process.start()
    send.close()
    try:
        return receive.recv()
    finally:
        process.join()


def write_annotations(file: Path, count: int) -> None:
    """Write a COCO-style json of faces with 98 points, one a picture; the points repeat after a thousand faces."""
    random = np.random.default_rng(0)
    points = (random.random((STEP, POINTS, 2)) * 200 + random.random((STEP, 1, 2)) * 500).round(3)
    texts = [json.dumps(_annotation(xy))[1:] for xy in points]
    with file.open('w') as stream:
        stream.write('{"images": [')
        for i in range(count):
            name = f'{i // STEP:04d}/{i:07d}.jpg'
            stream.write(f'{", " * (i > 0)}{{"id": {i}, "file_name": "{name}", "width": 1024, "height": 768}}')
        stream.write('], "annotations": [')
        for i in range(count):
            stream.write(f'{", " * (i > 0)}{{"id": {i}, "image_id": {i}, {texts[i % STEP]}')
        stream.write('], "categories": [{"id": 1, "name": "face"}]}')


def _annotation(points: np.ndarray) -> dict[str, Any]:
    low, high = points.min(0), points.max(0)
    return {
        'category_id': 1,
        'iscrowd': 0,
        'keypoints': np.insert(points, 2, 2, axis=1).ravel().tolist(),
        'bbox': [*low.tolist(), *(high - low).tolist()],
        'center': ((low + high) / 2).tolist(),
        'scale': float((high - low).max() / 200),
    }
