"""Prints the cost of the guard for docs/benchmarks.md: `python docs/measure_guard.py [--threads N] [--seconds S]`.

One process alternates steps with and without the guard, on one network and one batch, and compares each pair.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.runner import Runner

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facelmk.config import load_config  # noqa: E402  the package of this clone
from facelmk.engine.faults.guards import Guard  # noqa: E402
from facelmk.report.record import versions  # noqa: E402

MODELS_SHOWN = (
    ('quickstart', 112, 32),
    ('deeppose_r50_wflw', 256, 8),
)  # config, side of the crops in pixels, batch size
DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'
CLOCK = time.perf_counter if DEVICE == 'cuda' else time.process_time  # on a CPU other processes do not count


def runner_of(name: str, size: int, batch: int, folder: str) -> Runner:
    """A Runner with a config's network and optimizer, on drawn faces."""
    config = load_config(name)
    loader = load_config('quickstart').train_dataloader
    loader.dataset.update(count=batch, cache=None, size=size)
    next(step for step in loader.dataset.pipeline if step['type'] == 'CropFace')['size'] = size
    loader.update(batch_size=batch, num_workers=0, persistent_workers=False)
    if 'backbone' in config.model:
        config.model.backbone.pop('pretrained', None)
    return Runner(
        config.model,
        folder,
        train_dataloader=loader,
        train_cfg=dict(type='EpochLoop', max_epochs=1),
        optim_wrapper=config.optim_wrapper,
        default_scope='facelmk',
        log_level='ERROR',
        experiment_name=name,
    )


def steps(runner: Runner) -> tuple[Callable[[], None], Callable[[], None], list[float]]:
    """A step with the guard, a step without it, and a list of the seconds that the guard's own code takes."""
    guard, batch, own_times = Guard(), next(iter(runner.train_dataloader)), []
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    wrapper = runner.optim_wrapper
    plain = {name: getattr(wrapper, name) for name in ('backward', 'step')}
    check = guard._spoilt

    def timed(*arguments: object) -> bool:
        wait()
        start = CLOCK()
        result = check(*arguments)
        own_times.append(CLOCK() - start)
        return result

    guard._spoilt = timed
    guard.before_train(runner)
    guarded = {name: getattr(wrapper, name) for name in plain}

    def with_guard() -> None:
        vars(wrapper).update(guarded)
        guard.before_train_iter(runner, 0, batch)
        runner.model.train_step(batch, wrapper)
        guard.after_train_iter(runner, 0, batch)

    def without_guard() -> None:
        vars(wrapper).update(plain)
        runner.model.train_step(batch, wrapper)

    return with_guard, without_guard, own_times


def wait() -> None:
    """Wait until a GPU is idle."""
    if DEVICE == 'cuda':
        torch.cuda.synchronize()


def seconds_of(step: Callable[[], None]) -> float:
    """The time that a step takes."""
    wait()
    start = CLOCK()
    step()
    wait()
    return CLOCK() - start


def row(name: str, size: int, batch: int, seconds: float) -> str:
    """The figures of one network."""
    with tempfile.TemporaryDirectory() as folder:
        runner = runner_of(name, size, batch, folder)
        runner.model.train()
        guarded, plain, own_times = steps(runner)
        for step in (guarded, plain, guarded, plain):
            step()
        own_times.clear()
        pairs, end = [], time.perf_counter() + seconds
        while len(pairs) < 6 or time.perf_counter() < end:
            if len(pairs) % 2:  # each of the two is first in every other pair
                pairs.append((seconds_of(guarded), seconds_of(plain)))
            else:
                second = seconds_of(plain)
                pairs.append((seconds_of(guarded), second))
    ratios = sorted(100 * (one / other - 1) for one, other in pairs)
    low, middle, high = (ratios[len(ratios) * i // 4] for i in (1, 2, 3))
    step_ms = 1000 * statistics.median(other for _, other in pairs)
    own_ms = 1000 * statistics.median(own_times)
    return (
        f'| {name}, batch {batch} of {size} px | {step_ms:.1f} ms | {own_ms:.2f} ms | {100 * own_ms / step_ms:.2f} % | '
        f'{middle:+.2f} % ({low:+.2f} to {high:+.2f}) | {len(pairs)} |'
    )


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--threads', type=int, default=1, help='threads of torch (default: 1)')
    parser.add_argument('--seconds', type=float, default=60.0, help='for each network (default: 60)')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    load_before = os.getloadavg()[0]
    rows = [row(*shown, options.seconds) for shown in MODELS_SHOWN]
    print(
        "| what | a step | the guard's own time | its share | with guard against without: median (quartiles) | "
        'pairs |\n|---|---|---|---|---|---|\n' + '\n'.join(rows)
    )
    print(
        f'\n{DEVICE}, {options.threads} thread(s) of {os.cpu_count()} cores, load {load_before:.1f} before and '
        f'{os.getloadavg()[0]:.1f} after; ' + ', '.join(f'{key} {value}' for key, value in versions().items())
    )


if __name__ == '__main__':
    main()
