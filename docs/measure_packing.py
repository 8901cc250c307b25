"""Prints from how many faces on a packed file pays: `python docs/measure_packing.py`."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facelmk.bench.scale import write_annotations  # noqa: E402  the package of this clone
from facelmk.datasets import CocoFaces, packing  # noqa: E402
from facelmk.datasets.pack_key import SETTLED_S  # noqa: E402


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """Return the CPU time of a call, the median of some rounds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


def main() -> None:
    packing.MIN_BYTES = 0
    print('faces, MB; ms to read, to read and pack, to open the packed file')
    for count in (100, 500, 1000, 1740, 5000, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            file, packed = Path(folder, 'a.json'), str(Path(folder, 'packed'))
            write_annotations(file, count)
            time.sleep(SETTLED_S)  # a file that was just written is hashed at each start
            read = milliseconds(lambda: CocoFaces(str(file), packed=False), 3)  # noqa: B023
            first = milliseconds(lambda: CocoFaces(str(file), packed=packed), 1)  # noqa: B023
            opened = milliseconds(lambda: CocoFaces(str(file), packed=packed), 5)  # noqa: B023
            print(f'{count:6} {file.stat().st_size / 1e6:6.1f} {read:8.1f} {first:8.1f} {opened:8.1f}', flush=True)


if __name__ == '__main__':
    main()
