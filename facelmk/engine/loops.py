"""The training loops: mmengine's, extended to resume exactly at the batch where a run was stopped."""

from collections.abc import Iterator
from itertools import count, islice, repeat
from typing import Any

import torch
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from ..registry import LOOPS
from .faults.sizes import check_sizes, drop_single_sample_batch
from .faults.stopping import Progress, awaited, run_until_signal
from .faults.workers import shield_workers_from_signals
from .loaders import log_crop_cache, with_workers
from .saving.state import restore_random_state


@LOOPS.register_module()
class EpochLoop(EpochBasedTrainLoop):
    """Resume at the batch where a run was stopped; mmengine 0.10.7 starts the epoch again and ends it late.

    The loop drops a last batch of one sample if the network has BatchNorm. `dict(by_epoch=True, ...)` means this loop.
    """

    progress: Progress
    batches_done = 0  # batches of the current epoch that the run is trained on; a resumed run skips them
    random_state: dict | None = None  # the state of the random generators after these batches

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, *args: Any, **options: Any) -> None:
        super().__init__(runner, _training_loader(runner, dataloader), *args, **options)

    def run(self) -> Any:
        """Train; a signal saves the state and ends the training."""
        return run_until_signal(self, super().run)

    def run_epoch(self) -> None:
        """Train on the remaining batches of an epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        for number, batch in self._batches():
            self.run_iter(number, batch)
            self.batches_done = number + 1
        self.runner.call_hook('after_train_epoch')
        self.batches_done = 0
        self._epoch += 1

    def _batches(self) -> Iterator[tuple[int, Any]]:
        first = self.batches_done
        batches = _batches_from(first, self.dataloader, self.runner.seed + self._epoch)
        if self.random_state is not None:
            restore_random_state(self.random_state)
            self.random_state = None
        return enumerate(awaited(batches, self.runner), first)


@LOOPS.register_module()
class IterLoop(IterBasedTrainLoop):
    """Resume at an iteration; mmengine 0.10.7 loads and decodes all earlier batches again.

    The loop drops a last batch of one sample if the network has BatchNorm. `dict(by_epoch=False, ...)` means this loop.
    """

    progress: Progress

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, *args: Any, **options: Any) -> None:
        super().__init__(runner, _training_loader(runner, dataloader), *args, **options)
        has_skip = hasattr(self.dataloader.sampler, 'skip')
        other: Any = vars(self)['dataloader_iterator']
        self.dataloader_iterator = self._batches() if has_skip else awaited(other, runner)

    def run(self) -> Any:
        """Train; a signal saves the state and ends the training."""
        return run_until_signal(self, super().run)

    def _batches(self) -> Iterator[Any]:
        """Yield the batches of epoch after epoch; first None for each batch before the resume, which mmengine skips."""
        yield from repeat(None, self._iter)
        epoch, batches_done = divmod(self._iter, len(self.dataloader))
        for number in count(epoch):
            self.dataloader.sampler.set_epoch(number)
            batches = _batches_from(batches_done, self.dataloader, self.runner.seed + number)
            yield from awaited(batches, self.runner)
            batches_done = 0


def _training_loader(runner: Runner, dataloader: DataLoader | dict) -> DataLoader:
    """Build the data loader of a training and check its sizes before training starts."""
    if isinstance(dataloader, dict):
        dataloader = with_workers(runner, dataloader)
    built = runner.build_dataloader(dataloader, seed=runner.seed) if isinstance(dataloader, dict) else dataloader
    check_sizes(built, 'train_dataloader')
    log_crop_cache(runner, built.dataset)
    loader = drop_single_sample_batch(runner, built, dataloader)
    shield_workers_from_signals(loader)
    return loader


def _batches_from(first: int, loader: DataLoader, seed: int) -> Iterator[Any]:
    """Return an epoch's batches, starting at number `first`; a sampler without `skip` loads the others in vain."""
    sampler: Any = getattr(loader, 'sampler', None)
    set_own_generator(loader, seed)
    if not hasattr(sampler, 'skip'):
        return islice(iter(loader), first, None)
    sampler.skip = first * (loader.batch_size or 0)
    return iter(loader)


def set_own_generator(loader: DataLoader, seed: int) -> None:
    """Give a loader its own random generator, from which it draws the seed of its workers.

    Otherwise torch draws this seed from the global generator, which dropout uses too, and only when it starts workers:
    a resumed run would then differ from one that never stopped.
    """
    loader.generator = torch.Generator().manual_seed(seed)


def validates_now(loop: EpochLoop | IterLoop) -> bool:
    """Return whether mmengine's loop would validate at its current position."""
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    done, last = (loop.epoch, loop.max_epochs) if by_epoch else (loop.iter, loop.max_iters)
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == last)
