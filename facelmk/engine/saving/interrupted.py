"""Save the state of a training that a signal stops: inside an epoch, between two steps, or in a validation."""

import time
from pathlib import Path
from typing import Any

import torch
from mmengine import hooks
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.hooks import EMAHook
from mmengine.runner import Runner

from ...files.signals import Stopped, stop_signal
from .state import run_state

AGREE_EVERY = 10  # iterations after which several ranks agree on stopping, or on saving by the clock


class SavesAtSignals(hooks.CheckpointHook):
    """The base of CheckpointHook: when a signal stops the training, its state is saved first."""

    every: int | None
    minutes: float | None
    last_save_time: float
    state: dict[str, Any]
    written: tuple[int, int, bool] | None = None  # iteration, batches of the epoch, and whether a validation is due

    def after_interrupt(self, runner: Runner, number: int) -> None:
        """Save the state outside of a step, unless the last checkpoint holds it, and raise Stopped."""
        loop: Any = runner.train_loop
        if loop.progress.validates:
            for averaging in (hook for hook in runner.hooks if isinstance(hook, EMAHook)):
                averaging.after_val_epoch(runner)  # this puts the trained weights back
        if runner.iter == loop.progress.first:
            raise Stopped(number, f'Signal {number} stopped the run before its first step. There was nothing to save')
        done = getattr(loop, 'batches_done', 0)
        due = not done and loop.progress.validated != runner.iter
        if self.written != (runner.iter, done, due):
            self._save_between_steps(runner, done, due)
        raise self.stopped(number)

    def stopped(self, number: int) -> Stopped:
        """The error of a training whose state is saved."""
        return Stopped(
            number,
            f'Signal {number} stopped the training. Its state is saved as {self.last_ckpt}. '
            'Continue with the same command and --resume',
        )

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Let several ranks agree on stopping; some may have one batch more, so the last ones are left out."""
        batches, loader = batch_idx + 1, runner.val_dataloader
        if get_world_size() > 1 and batches % AGREE_EVERY == 0 and loader.batch_size:
            common = len(loader.dataset) // get_world_size() // loader.batch_size
            if batches <= common and (number := agreed(runner, stop_signal())[0]):
                self.after_interrupt(runner, number)

    def _signal_and_due(self, runner: Runner) -> tuple[int, bool]:
        """Return the signal that asks the ranks to stop (0: none), and whether a save is due now."""
        counted = self.every is not None and self.every_n_train_iters(runner, self.every)
        clock = self.minutes is not None and time.monotonic() - self.last_save_time > 60 * self.minutes
        if get_world_size() == 1:
            return stop_signal(), counted or clock
        if not self.every_n_train_iters(runner, AGREE_EVERY):
            return 0, counted
        number, due = agreed(runner, stop_signal(), int(clock))
        return number, counted or bool(due)

    def _save_inside_epoch(self, runner: Runner, batches_done: int) -> None:
        if self.by_epoch:
            self._save_state(runner, runner.iter + 1, batches_done, validation_due=False)
        else:
            self._save_checkpoint(runner)

    def _save_between_steps(self, runner: Runner, batches_done: int, validation_due: bool) -> None:
        """Save the state after a step, before or after its validation."""
        if self.by_epoch:
            self._save_state(runner, runner.iter, batches_done, validation_due)
        else:
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            self._save_checkpoint_with_step(runner, runner.iter, meta, validation_due)

    def _save_state(self, runner: Runner, iteration: int, batches_done: int, validation_due: bool) -> None:
        self.state = run_state(runner, runner.epoch, batches_done, validation_due)
        name = f'state_iter_{iteration}.pth'
        if self._write(runner, name, dict(epoch=runner.epoch, iter=iteration)):
            self._delete_inside_epoch(name)

    def _delete_inside_epoch(self, newest: str | None) -> None:
        """Delete all state_iter_N.pth but the newest."""
        if is_main_process():
            for path in Path(self.out_dir).glob('state_iter_*.pth'):
                if path.name != newest:
                    path.unlink(missing_ok=True)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict, due: bool | None = None) -> None:
        raise TypeError(f'{type(self).__name__} must define how it writes a checkpoint')

    def _write(self, runner: Runner, name: str, meta: dict) -> bool:
        raise TypeError(f'{type(self).__name__} must define how it writes a file')


def agreed(runner: Runner, *flags: int) -> list[int]:
    """Return the largest of each flag over all ranks."""
    values = torch.tensor(flags, device=next(runner.model.parameters()).device)
    all_reduce(values, 'max')
    return [int(value) for value in values]
