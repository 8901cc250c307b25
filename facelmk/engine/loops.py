"""The training loops: mmengine's, which can go on where a run was stopped."""

from collections.abc import Iterator
from itertools import count, islice, repeat
from typing import Any

import torch
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from ..registry import LOOPS
from .faults.sizes import check_sizes, without_single
from .faults.workers import leave_signals
from .saving.state import restore_random


@LOOPS.register_module()
class EpochLoop(EpochBasedTrainLoop):
    """Goes on from the batch that a run was stopped at; mmengine 0.10.7 begins the epoch anew and ends it late.

    A last batch of one sample is left out where the network has BatchNorm. `dict(by_epoch=True, ...)` means this loop.
    """

    done = 0  # batches of the coming epoch that are trained on already
    random: dict | None = None  # where the random generators stand after them

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, *args: Any, **options: Any) -> None:
        super().__init__(runner, _loader(runner, dataloader), *args, **options)

    def run_epoch(self) -> None:
        """Train on what is left of an epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        for number, batch in self._batches():
            self.run_iter(number, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _batches(self) -> Iterator[tuple[int, Any]]:
        first, self.done = self.done, 0
        batches = _from_batch(first, self.dataloader, self.runner.seed + self._epoch)
        if self.random is not None:
            restore_random(self.random)
            self.random = None
        return enumerate(batches, first)


@LOOPS.register_module()
class IterLoop(IterBasedTrainLoop):
    """Goes on at an iteration; mmengine 0.10.7 loads and decodes again all that was trained on before it.

    A last batch of one sample is left out where the network has BatchNorm. `dict(by_epoch=False, ...)` means this loop.
    """

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, *args: Any, **options: Any) -> None:
        super().__init__(runner, _loader(runner, dataloader), *args, **options)
        if hasattr(self.dataloader.sampler, 'skip'):
            self.dataloader_iterator = self._batches()

    def _batches(self) -> Iterator[Any]:
        """Batches of one epoch after the other; for those that were trained on already mmengine asks, too."""
        yield from repeat(None, self._iter)
        epoch, done = divmod(self._iter, len(self.dataloader))
        for number in count(epoch):
            self.dataloader.sampler.set_epoch(number)
            yield from _from_batch(done, self.dataloader, self.runner.seed + number)
            done = 0


def _loader(runner: Runner, dataloader: DataLoader | dict) -> DataLoader:
    """The data loader of a training, looked over before anything is trained."""
    built = runner.build_dataloader(dataloader, seed=runner.seed) if isinstance(dataloader, dict) else dataloader
    check_sizes(built, 'train_dataloader')
    loader = without_single(runner, built, dataloader)
    leave_signals(loader)
    return loader


def _from_batch(first: int, loader: DataLoader, seed: int) -> Iterator[Any]:
    """An epoch's batches from the `first` on; where the sampler cannot pass over the others, they are loaded."""
    sampler: Any = getattr(loader, 'sampler', None)
    own_draws(loader, seed)
    if not hasattr(sampler, 'skip'):
        return islice(iter(loader), first, None)
    sampler.skip = first * (loader.batch_size or 0)
    return iter(loader)


def own_draws(loader: DataLoader, seed: int) -> None:
    """Let a loader draw its workers' seed from a generator of its own.

    Otherwise torch takes it from the generator that dropout draws from, and only where workers are started: a run that
    was stopped would then differ from one that was not.
    """
    loader.generator = torch.Generator().manual_seed(seed)
