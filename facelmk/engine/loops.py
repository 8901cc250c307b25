"""The epoch loop: mmengine's, which can go on inside an epoch."""
from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from ..registry import LOOPS
from .sizes import check_sizes, without_single
from .state import restore_random
from .workers import leave_signals


@LOOPS.register_module()
class EpochLoop(EpochBasedTrainLoop):
    """Goes on from the batch that a run was stopped at; mmengine 0.10.7 begins the epoch anew and ends it late.

    A last batch of one sample is left out where the network has BatchNorm. `dict(by_epoch=True, ...)` means this loop.
    """
    done = 0  # batches of the coming epoch that are trained on already
    random: dict | None = None  # where the random generators stand after them

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, *args: Any, **options: Any) -> None:
        built = runner.build_dataloader(dataloader, seed=runner.seed) if isinstance(dataloader, dict) else dataloader
        check_sizes(built, 'train_dataloader')
        super().__init__(runner, without_single(runner, built, dataloader), *args, **options)
        leave_signals(self.dataloader)

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
        sampler: Any = getattr(self.dataloader, 'sampler', None)
        if hasattr(sampler, 'skip'):
            sampler.skip = first * self.dataloader.batch_size
        own_draws(self.dataloader, self.runner.seed + self._epoch)
        batches = iter(self.dataloader)
        if self.random is not None:
            restore_random(self.random)
            self.random = None
        return enumerate(batches if hasattr(sampler, 'skip') else islice(batches, first, None), first)


def own_draws(loader: DataLoader, seed: int) -> None:
    """Let a loader draw its workers' seed from a generator of its own.

    Otherwise torch takes it from the generator that dropout draws from, and only where workers are started: a run that
    was stopped would then differ from one that was not.
    """
    loader.generator = torch.Generator().manual_seed(seed)
