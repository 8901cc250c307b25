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
from ..faces import draw, save, show
from ..registry import HOOKS, FacelmkError


@HOOKS.register_module()
class CheckpointHook(hooks.CheckpointHook):
    """mmengine's, except that the figure of `save_best` itself says whether less or more of it is better.

    mmengine guesses from how the figure is spelled; `rule` overrules both.
    """
    best_ckpt_path: str | None = None

    def __init__(self, *args: Any, rule: str | list[str] | None = None, **options: Any) -> None:
        super().__init__(*args, rule='less' if rule is None else rule, **options)
        self.told = rule is not None

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if not self.save_best:
            return
        if not self.told and runner.val_loop is not None:
            metrics = runner.val_loop.evaluator.metrics
            try:
                self._init_rule([_direction(key, metrics) for key in self.save_best], self.save_best)
            except ValueError as error:
                raise FacelmkError(f"save_best={self.save_best}: {error} Set rule='less' or rule='greater' beside it; "
                                   "facelmk's metrics know it by themselves") from error
        if self.best_ckpt_path:  # of a resumed run, whose folder may be a copy of another's
            self.best_ckpt_path = str(Path(self.out_dir, Path(self.best_ckpt_path).name))


def _direction(key: str, metrics: Sequence[Any]) -> str | None:
    """Whether 'less' or 'greater' is better of a figure; None where it belongs to none of these metrics."""
    named = {f'{metric.prefix}/{metric.name}' if metric.prefix else metric.name: metric.direction
             for metric in metrics if hasattr(metric, 'direction')}
    if key == 'auto':  # mmengine takes the first figure
        return next(iter(named.values()), None)
    own = [name for name in named if key.startswith(name)]  # 'NME/pose' is NME's, 'AP .5' is AP's
    return named[max(own, key=len)] if own else None


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
        if any(self.every_n_train_iters(runner, hook.interval) or hook.save_last and self.is_last_train_iter(runner)
               for hook in saving):
            self._average(runner)

    def _average(self, runner: Runner) -> None:
        averaged = (hook.ema_model for hook in runner.hooks if isinstance(hook, EMAHook))
        for model in chain([runner.model], averaged):
            all_reduce_params([buffer for buffer in model.buffers() if buffer.is_floating_point()], op='mean')


@HOOKS.register_module()
class TellFinished(Hook):
    """Says so where a resumed run has nothing left to do."""

    def before_train(self, runner: Runner) -> None:
        if runner.iter >= runner.max_iters:
            runner.logger.info(f'{runner.iter} of {runner.max_iters} iterations are done: nothing is left to train')


@HOOKS.register_module()
class DrawPredictions(Hook):
    """Draws every `interval`-th face of a validation or test on its crop, into `folder`, or on the screen."""

    def __init__(self, folder: str | None = None, interval: int = 1, show: bool = False, wait: float = 1.) -> None:
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
