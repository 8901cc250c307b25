"""Settings of data loaders that depend on the machine: pinned memory, and the number of workers."""

import math
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine import Config
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.runner import Runner
from torch import nn

from ..files.notes import note
from ..files.processes import cores
from ..registry import DATASETS, FUNCTIONS
from .saving.state import trained_network

AUTO = 'auto'
MAX_WORKERS = 16
HEADROOM = 1.25  # workers more than needed on average, because pictures differ
PROBE_SAMPLES, PROBE_STEPS, PROBE_FACES = 16, 2, 100
PROBE_BATCH_ON_CPU = 2  # a step on a CPU takes seconds, and its time grows with the batch


def settle_loaders(config: Config) -> None:
    """Pin memory where there is a GPU; validation and test with num_workers='auto' get at most four workers."""
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader')
        if not loader:
            continue
        if torch.cuda.is_available():
            loader.setdefault('pin_memory', True)
        if loader.get('num_workers') == AUTO and phase != 'train':
            loader['num_workers'] = min(_most_workers(), 4)


def with_workers(runner: Runner, loader: dict[str, Any]) -> dict[str, Any]:
    """Return the config of the training loader with a number in place of num_workers='auto'; log why this number."""
    if loader.get('num_workers') != AUTO:
        return loader
    dataset = loader['dataset']
    dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
    batch = int(loader.get('batch_size', 1))
    with _random_state_kept():
        sample_s, step_s = _sample_seconds(dataset), _step_seconds(runner, loader, dataset, batch)
    workers = workers_for(sample_s * batch, step_s, _most_workers())
    workers = _largest_of_ranks(workers)
    if is_main_process():
        note(
            f'num_workers=auto: {workers} workers a rank (a sample takes {sample_s * 1000:.1f} ms, a step of {batch} '
            f'takes {step_s * 1000:.0f} ms; {cores()} cores for {_ranks_here()} ranks)',
            runner.logger,
        )
    return dict(loader, dataset=dataset, num_workers=workers)


def workers_for(batch_s: float, step_s: float, most: int) -> int:
    """Return how many workers make a batch in the time of a step, at least one and at most `most`."""
    return min(max(math.ceil(HEADROOM * batch_s / max(step_s, 1e-9)), 1), most)


def _most_workers() -> int:
    """Return how many workers a rank can run on the cores of this machine, if one core is left for the rank."""
    return min(max(cores() // _ranks_here() - 1, 1), MAX_WORKERS)


def log_crop_cache(runner: Runner, dataset: Any) -> None:
    """Log how many faces of a data set its crop cache holds, from a sample of them; warn if some are missing."""
    store = next((step.crop_cache for step in getattr(dataset, 'pipeline', ()) if hasattr(step, 'crop_cache')), None)
    if store is None or not len(dataset):
        return
    indices = np.unique(np.linspace(0, len(dataset) - 1, PROBE_FACES).astype(int)).tolist()
    faces = [face for face in map(dataset.face, indices) if face.get('path') and 'image' not in face]  # not drawn ones
    stored = sum(map(store.holds, faces))
    text = f'crop cache {store.folder} ({store.about.describe()}): it holds {stored} of {len(faces)} faces tried'
    if stored == len(faces):
        runner.logger.info(text)
    else:
        runner.logger.warning(f'{text}; the others are read from their pictures. Complete it with facelmk data cache')


def _ranks_here() -> int:
    return int(os.environ.get('LOCAL_WORLD_SIZE', get_world_size()))


def _largest_of_ranks(workers: int) -> int:
    number = torch.tensor(workers, dtype=torch.int64, device='cuda' if torch.cuda.is_available() else 'cpu')
    all_reduce(number, 'max')
    return int(number)


def _sample_seconds(dataset: Any) -> float:
    """Return the CPU time of a sample, the median of a few from all over the data set."""
    indices = np.linspace(0, len(dataset) - 1, min(PROBE_SAMPLES, len(dataset))).astype(int).tolist()
    return float(np.median([_seconds(partial(dataset.__getitem__, i), time.thread_time) for i in indices]))


def _step_seconds(runner: Runner, loader: dict[str, Any], dataset: Any, batch: int) -> float:
    """Return the time of a training step without the optimizer: forward and backward of the network."""
    network = trained_network(runner)
    device = next(network.parameters()).device
    count = min(batch, PROBE_BATCH_ON_CPU) if device.type == 'cpu' else batch
    collate: Any = FUNCTIONS.get(loader['collate_fn']['type'])
    data = collate([dataset[i % len(dataset)] for i in range(count)])
    with _network_kept(network):
        times = [_seconds(lambda: _step(network, data, device)) for _ in range(1 + PROBE_STEPS)]
    return min(times[1:]) * batch / count


def _step(network: Any, data: dict[str, Any], device: torch.device) -> None:
    losses = network(**network.data_preprocessor(data, True), mode='loss')
    sum(value.mean() for value in losses.values()).backward()
    network.zero_grad(set_to_none=True)
    if device.type == 'cuda':
        torch.cuda.synchronize()


def _seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    work()
    return clock() - start


@contextmanager
def _network_kept(network: nn.Module) -> Iterator[None]:
    """Restore buffers, such as BatchNorm's statistics, and the mode of a network."""
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    training = network.training
    network.train()
    try:
        yield
    finally:
        network.train(training)
        with torch.no_grad():
            for name, buffer in network.named_buffers():
                buffer.copy_(buffers[name])


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """Restore the global random generators, so that the probe changes no result."""
    python, numpy_state = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if torch.cuda.is_available() else []):
        yield
    random.setstate(python)
    np.random.set_state(numpy_state)
