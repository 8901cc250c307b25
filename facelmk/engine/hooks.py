"""What happens beside the loops: equal statistics on all ranks, pictures of predictions."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from mmengine import hooks
from mmengine.dist import all_reduce_params, is_main_process
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner

from .. import geometry
from ..checkpoint import fit
from ..faces import draw, save, show
from ..registry import HOOKS
from .saving.state import networks


@HOOKS.register_module()
class SyncStatistics(Hook):
    """Averages BatchNorm's running statistics over the ranks before they are validated or saved, the EMA's too."""

    priority = 'LOW'  # after EMAHook has put its weights in place, before CheckpointHook writes

    def before_val_epoch(self, runner: Runner) -> None:
        self._average(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        self._average(runner)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        saving = [hook for hook in runner.hooks if isinstance(hook, hooks.CheckpointHook) and not hook.by_epoch]
        if any(
            self.every_n_train_iters(runner, hook.interval) or (hook.save_last and self.is_last_train_iter(runner))
            for hook in saving
        ):
            self._average(runner)

    def _average(self, runner: Runner) -> None:
        averaged = (hook.ema_model for hook in runner.hooks if isinstance(hook, EMAHook))
        for model in chain([runner.model], averaged):
            all_reduce_params([buffer for buffer in model.buffers() if buffer.is_floating_point()], op='mean')


@HOOKS.register_module()
class CheckResumed(Hook):
    """Refuses to resume another network's checkpoint; says so where a resumed run has nothing left to do."""

    priority = 'VERY_HIGH'  # before EMAHook takes what fits

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        fit(networks(runner)[0], checkpoint['state_dict'], 'This checkpoint')

    def before_train(self, runner: Runner) -> None:
        if runner.iter >= runner.max_iters:
            runner.logger.info(f'{runner.iter} of {runner.max_iters} iterations are done: nothing is left to train')


@HOOKS.register_module()
class DrawPredictions(Hook):
    """Draws every `interval`-th face of a validation or test on its crop, into `folder`, or on the screen."""

    def __init__(self, folder: str | None = None, interval: int = 1, show: bool = False, wait: float = 1.0) -> None:
        self.folder = None if folder is None else Path(folder)
        self.interval, self.show, self.wait = interval, show, wait
        self.seen = 0

    def before_val_epoch(self, runner: Runner) -> None:
        self.seen = 0

    before_test_epoch = before_val_epoch

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._draw(runner.val_dataloader.dataset, data_batch, outputs)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._draw(runner.test_dataloader.dataset, data_batch, outputs)

    def _draw(self, dataset: Any, batch: dict, faces: Sequence[dict]) -> None:
        for inputs, face, warp in zip(batch['inputs'], faces, batch['data_samples']['warp'], strict=True):
            self.seen += 1
            if (self.seen - 1) % self.interval == 0 and is_main_process():
                points = geometry.apply(warp.numpy(), face['landmarks'].numpy())
                self._put(draw(inputs.numpy().transpose(1, 2, 0), points, dataset.markup), str(face['id']))

    def _put(self, picture: np.ndarray, name: str) -> None:
        if self.folder is not None:
            save(picture, self.folder / f'{self.seen:06d}_{Path(name).stem}.jpg')
        if self.show:
            show(picture, name, self.wait)
