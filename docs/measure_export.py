"""Print the time that an exported file needs on one thread, for a face or a picture: measure_export.py FILE.onnx

Times are of the CPU, not of a clock, because other processes may use the machine; torch is not imported.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from facelmk.inference.runtime import ExportedDetector, ExportedPredictor, load_exported
from facelmk.inference.runtime.session import Session

RUNS = 200
WARM_UP = 10
PICTURE = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)


def milliseconds(function: Callable[[], object]) -> tuple[float, float]:
    """Return the median and the lowest CPU time of a call."""
    times = []
    for i in range(WARM_UP + RUNS):
        start = time.thread_time()
        function()
        if i >= WARM_UP:
            times.append(time.thread_time() - start)
    return statistics.median(times) * 1e3, min(times) * 1e3


def landmark_rows(model: ExportedPredictor) -> dict[str, Callable[[], object]]:
    """What is measured of a landmark network."""
    crops = np.zeros((1, 3, model.crop.size, model.crop.size), np.uint8)
    print(f'flip average: {model.facts.flip_average}')
    return {
        'the graph alone': lambda: model.session.run(crops),
        'from array and box': lambda: model(PICTURE, [[200, 100, 380, 290]]),
    }


def detector_rows(detector: ExportedDetector) -> dict[str, Callable[[], object]]:
    """What is measured of a face detector."""
    scene = np.ascontiguousarray(PICTURE.transpose(2, 0, 1)[None])
    print(f'a picture of 640 x 480, searched at the sizes {detector.rule.sizes}')
    return {'the graph, 640 x 480': lambda: detector.session.run(scene), 'the whole search': lambda: detector(PICTURE)}


def main() -> None:
    """Print a row for the graph, and one for a whole call."""
    path = sys.argv[1]
    start = time.process_time()
    if Session(path).facts.kind == 'boxes':
        rows = detector_rows(ExportedDetector(path, threads=1))
    else:
        rows = landmark_rows(load_exported(path, threads=1))
    print(f'{path}: opened twice in {time.process_time() - start:.2f} s of CPU')
    for name, function in rows.items():
        median, lowest = milliseconds(function)
        print(f'{name:<20} median {median:.2f} ms, lowest {lowest:.2f} ms')


if __name__ == '__main__':
    main()
