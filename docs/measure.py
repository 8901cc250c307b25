"""Prints the table of docs/benchmarks.md: `python docs/measure.py [--threads N]`; it takes some minutes."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from mmengine import Config

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facelmk.config import load_config  # noqa: E402
from facelmk.datasets import SyntheticFaces  # noqa: E402  the package of this clone
from facelmk.registry import DATASETS, MODELS  # noqa: E402
from facelmk.report.model_stats import model_cost  # noqa: E402

MODELS_SHOWN = ('quickstart', 'deeppose_r50_wflw', 'hrnetv2_w18_wflw')
BATCH = 8


def items_per_second(work: Callable[[], object], count: int, seconds: float = 6.0) -> float:
    """The number of items a second: the best of the calls within `seconds`, at least two, after one warm-up call."""
    work()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return count / min(times)


def crop_size(config: Config) -> int:
    """The side of a config's crops in pixels."""
    return next(step['size'] for step in config.val_dataloader.dataset.pipeline if step['type'] == 'CropFace')


def network_rows(name: str) -> list[tuple[str, str]]:
    """The cost and speed of a config's network."""
    config = load_config(name)
    size = crop_size(config)
    cost = model_cost(config, size)[0]
    model = MODELS.build(config.model)
    inputs = torch.randn(BATCH, 3, size, size)

    def forward() -> None:
        with torch.no_grad():
            model.eval()(inputs)

    def step() -> None:
        model.zero_grad()
        sum(stage.square().mean() for stage in model.train()(inputs)).backward()

    return [
        (f'{name}: parameters', f'{cost.parameters / 1e6:.2f} M'),
        (f'{name}: multiply-accumulates a crop of {size} px', f'{cost.macs / 1e9:.3f} G'),
        (f'{name}: forward, batch {BATCH}', f'{items_per_second(forward, BATCH):.1f} faces/s'),
        (f'{name}: forward and backward, batch {BATCH}', f'{items_per_second(step, BATCH):.1f} faces/s'),
    ]


def data_rows() -> list[tuple[str, str]]:
    """The speed of drawing faces and of the quick start's training pipeline, in one process."""
    rows = []
    for size in (128, 256):
        dataset = SyntheticFaces(count=10_000, size=size, seed=2)
        indices = iter(range(10_000))
        speed = items_per_second(lambda d=dataset, n=indices: [d.face(next(n)) for _ in range(20)], 20)
        rows.append((f'drawing faces of {size} px', f'{speed:.0f} faces/s'))
    config = load_config('quickstart')
    dataset = DATASETS.build(config.train_dataloader.dataset | dict(count=64, cache=None))
    faces = [dict(dataset.face(i), markup=dataset.markup) for i in range(64)]

    def pipeline() -> None:
        for face in faces:
            sample = dict(face, rng=np.random.default_rng(0))
            for transform in dataset.pipeline:
                sample = transform(sample)

    return [*rows, ('quickstart: augmentation of a loaded face', f'{items_per_second(pipeline, 64):.0f} faces/s')]


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--threads', type=int, default=1, help='threads of torch (default: 1)')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f'| what | {options.threads} thread{"s"[: options.threads > 1]} |\n|---|---|')
    for name in MODELS_SHOWN:
        for row in network_rows(name):
            print('| ' + ' | '.join(row) + ' |', flush=True)
    for row in data_rows():
        print('| ' + ' | '.join(row) + ' |', flush=True)


if __name__ == '__main__':
    main()
