"""Print the time that an exported file needs for one face on one thread: python docs/measure_export.py FILE.onnx

Times are of the CPU, not of a clock, because other processes may use the machine; torch is not imported.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from facelmk.inference.runtime import load_exported

RUNS = 200
WARM_UP = 10


def milliseconds(function: Callable[[], object]) -> tuple[float, float]:
    """Return the median and the lowest CPU time of a call."""
    times = []
    for i in range(WARM_UP + RUNS):
        start = time.thread_time()
        function()
        if i >= WARM_UP:
            times.append(time.thread_time() - start)
    return statistics.median(times) * 1e3, min(times) * 1e3


def main() -> None:
    start = time.process_time()
    model = load_exported(sys.argv[1], threads=1)
    print(f'{model}: loaded in {time.process_time() - start:.2f} s of CPU')
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    crops = np.zeros((1, 3, model.crop.size, model.crop.size), np.uint8)
    rows = {
        'the graph alone': lambda: model.session.run(crops),
        'from array and box': lambda: model(image, [[200, 100, 380, 290]]),
    }
    print(f'flip average: {model.facts.flip_average}')
    for name, function in rows.items():
        median, lowest = milliseconds(function)
        print(f'{name:<20} median {median:.2f} ms, lowest {lowest:.2f} ms')


if __name__ == '__main__':
    main()
