"""Hooks: equal BatchNorm statistics on all ranks, a check of resumed runs, a second pipeline, drawn predictions."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from mmengine import hooks
from mmengine.dist import all_reduce_params, is_main_process
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from .. import geometry
from ..checkpoint import fit
from ..datasets.base import SampleDataset
from ..datasets.transforms.stages import FromEpoch
from ..errors import FacelmkError
from ..faces import draw, save, show
from ..files.notes import note
from ..registry import HOOKS
from .saving.state import trained_network


@HOOKS.register_module()
class SyncStatistics(Hook):
    """Average BatchNorm's running statistics over the ranks before each validation and save.

    The hook averages those of the EMA model, too.
    """

    priority = 'LOW'  # after EMAHook has swapped its weights in, before CheckpointHook writes

    def before_val_epoch(self, runner: Runner) -> None:
        self._average(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        self._average(runner)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if any(self._saves_now(runner, hook) for hook in runner.hooks if isinstance(hook, hooks.CheckpointHook)):
            self._average(runner)

    def _saves_now(self, runner: Runner, hook: hooks.CheckpointHook) -> bool:
        at_end = hook.save_last and self.is_last_train_iter(runner)
        return not hook.by_epoch and (self.every_n_train_iters(runner, hook.interval) or at_end)

    def _average(self, runner: Runner) -> None:
        ema_models = (hook.ema_model for hook in runner.hooks if isinstance(hook, EMAHook))
        for model in chain([runner.model], ema_models):
            all_reduce_params([buffer for buffer in model.buffers() if buffer.is_floating_point()], op='mean')


@HOOKS.register_module()
class CheckResumed(Hook):
    """Refuse to resume the checkpoint of another network; log if a resumed run is already complete."""

    priority = 'VERY_HIGH'  # before EMAHook, which loads only the keys that fit

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        fit(trained_network(runner), checkpoint['state_dict'], 'This checkpoint')

    def before_train(self, runner: Runner) -> None:
        if runner.iter >= runner.max_iters:
            note(f'{runner.iter} of {runner.max_iters} iterations are done: nothing is left to train', runner.logger)


@HOOKS.register_module()
class SwitchPipeline(Hook):
    """Use another `pipeline` for training from `epoch` on, counted from 0: epoch=50 of 60 leaves ten for it.

    The hook installs both pipelines before the workers start; each face then chooses by the epoch that the sampler
    gives it. Persistent workers, which never see a change in the main process, and resumed runs therefore agree.
    """

    ranges = {'epoch': (0, 100_000)}

    def __init__(self, epoch: int, pipeline: Sequence[dict]) -> None:
        self.epoch, self.pipeline = epoch, pipeline

    def before_train(self, runner: Runner) -> None:
        dataset = runner.train_dataloader.dataset
        if not isinstance(runner.train_loop, EpochBasedTrainLoop) or not isinstance(dataset, SampleDataset):
            raise FacelmkError(
                f'SwitchPipeline: the loop is {type(runner.train_loop).__name__}, the data set is '
                f'{type(dataset).__name__}. Expected train_cfg with by_epoch=True and a FaceDataset or SceneDataset. '
                "Without them, use dict(type='FromEpoch', ...) as a step of the pipeline"
            )
        dataset.pipeline = [FromEpoch(self.epoch, self.pipeline, dataset.pipeline)]


@HOOKS.register_module()
class DrawPredictions(Hook):
    """Draw every `interval`-th face of a validation or test on its crop, into `folder` or on the screen."""

    ranges = {'interval': (1, 100_000_000), 'wait': (0, 3600)}

    def __init__(self, folder: str | None = None, interval: int = 1, show: bool = False, wait: float = 1.0) -> None:
        self.folder = None if folder is None else Path(folder)
        self.interval, self.show, self.wait = interval, show, wait
        self.count = 0

    def before_val_epoch(self, runner: Runner) -> None:
        self.count = 0

    before_test_epoch = before_val_epoch

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._draw(runner.val_dataloader.dataset, data_batch, outputs)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._draw(runner.test_dataloader.dataset, data_batch, outputs)

    def _draw(self, dataset: Any, batch: dict, faces: Sequence[dict]) -> None:
        for inputs, face, warp in zip(batch['inputs'], faces, batch['data_samples']['warp'], strict=True):
            self.count += 1
            if (self.count - 1) % self.interval == 0 and is_main_process():
                points = geometry.apply(warp.numpy(), face['landmarks'].numpy())
                self._output(draw(inputs.numpy().transpose(1, 2, 0), points, dataset.markup), str(face['id']))

    def _output(self, picture: np.ndarray, name: str) -> None:
        if self.folder is not None:
            save(picture, self.folder / f'{self.count:06d}_{Path(name).stem}.jpg')
        if self.show:
            show(picture, name, self.wait)
