"""Train and test: build an mmengine Runner from a config and run it."""

import copy
import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine import Config, ConfigDict
from mmengine.device import get_device
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

from ..checkpoint import load_checkpoint  # this also registers the safe readers with mmengine
from ..config.relations import check_relations_of_training
from ..datasets.base import Transform
from ..errors import FacelmkError
from ..files.atomic import ignore_log_errors, translate_lost_folder_errors
from ..files.backend import AtomicConfig
from ..files.lock import locked_folder
from ..files.notes import note
from ..files.signals import graceful_shutdown
from ..registry.sharding import import_sharding
from .console import RunLines
from .faults.workers import set_worker_timeouts, shield_workers_from_signals, translate_worker_errors
from .hooks import CheckResumed
from .loaders import settle_loaders
from .preflight import check_test, check_training
from .ranks import join_ranks, rank_of
from .recrop import crop_by
from .runner import FaceRunner, settle_speed
from .saving.newest import POINTER, checkpoint_folder, newest_checkpoint
from .saving.state import trained_network
from .speed import convert_weights, half_precision

RUNNERS_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')
TRAIN_LOCK, TEST_LOCK = '.train.lock', '.test.lock'  # a test may run beside the training of its work folder


@dataclass
class Drawing:
    """Options for drawing the predictions of a validation or test: the arguments of the hook `DrawPredictions`."""

    folder: str | None = None
    show: bool = False
    interval: int = 1
    wait: float = 1.0

    def add_hook(self, config: Config) -> None:
        """Add the drawing hook to a config, if predictions are to be drawn."""
        if self.folder is not None or self.show:
            hook = ConfigDict(type='DrawPredictions', **asdict(self))
            config.custom_hooks = [*config.get('custom_hooks', []), hook]


def train(
    config: Config,
    resume: str | None = None,
    amp: bool = False,
    scale_rate: bool = False,
    validate: bool = True,
    launcher: str = 'none',
    drawing: Drawing | None = None,
    lines: RunLines | None = None,
) -> Runner:
    """Train a config; `resume` is 'auto' (the newest checkpoint of the work folder) or the path of a checkpoint.

    `lines` prints what a person reads, within `quiet_console`; without it mmengine prints its log.
    """
    if amp:
        config['speed'] = {'precision': half_precision(torch.device(get_device())), **(config.get('speed') or {})}
    if scale_rate:
        _enable_rate_scaling(config)
    if not validate:
        _disable_validation(config)
    check_relations_of_training(config, config.filename or 'the config')
    check_training(config, resume)
    _set_default_loop_and_guard(config)
    (drawing or Drawing()).add_hook(config)
    is_main = rank_of(launcher) == 0
    with locked_folder(config.work_dir, TRAIN_LOCK) if is_main else nullcontext():
        return _train(config, resume, launcher, is_main, lines)


def _train(config: Config, resume: str | None, launcher: str, is_main: bool, lines: RunLines | None = None) -> Runner:
    """Train in a work folder that no other run uses."""
    checkpoint = _resume_source(checkpoint_folder(config), resume, is_main)
    config.resume = checkpoint is not None  # else mmengine would look for a checkpoint, in other folders, too
    if checkpoint is not None:  # else the run starts from the config's own load_from
        config.load_from = checkpoint
    with translate_lost_folder_errors(config.work_dir):
        runner = _build_runner(config, launcher, True, checkpoint)
        runner.auto_scale_lr = _scale_for_accumulation(config)
        if checkpoint is not None:
            runner.register_hook(CheckResumed())
        if lines is not None:
            lines.introduce(runner)
            runner.register_hook(lines)
        with graceful_shutdown(), translate_worker_errors():
            runner.train()
    return runner


def _resume_source(folder: Path, resume: str | None, is_main: bool) -> str | None:
    """Return the checkpoint to resume. If torchrun restarted this run after a rank died: the newest of this run.

    A run that starts new therefore deletes the `last_checkpoint` of the run before it.
    """
    restarted = int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)) > 0
    if restarted and (newest := newest_checkpoint(folder, same_run=True)):
        return newest
    if resume == 'auto':
        return newest_checkpoint(folder)
    if is_main and not restarted:
        (folder / POINTER).unlink(missing_ok=True)
    return resume


def test(
    config: Config,
    source: str,
    launcher: str = 'none',
    drawing: Drawing | None = None,
    watch: Sequence[BaseMetric] = (),
    box_step: Transform | None = None,
    lines: RunLines | None = None,
) -> tuple[Runner, dict[str, float]]:
    """Test a checkpoint (path or URL) on the config's test set; return the Runner and the metrics.

    `watch` are metrics in addition to those of the config. `box_step` chooses the box of each face, as `TightBox`.
    `lines` prints what a person reads, within `quiet_console`.
    """
    if config.get('test_dataloader') is None:
        raise FacelmkError(
            f'{config.filename}: there is no test_dataloader and no val_dataloader to test on. Add one to the config'
        )
    check_test(config, source)
    config.load_from, config.resume = None, False  # the Runner accepts a checkpoint that fits only in part
    (drawing or Drawing()).add_hook(config)
    with locked_folder(config.work_dir, TEST_LOCK) if rank_of(launcher) == 0 else nullcontext():
        runner = _build_runner(_without_training(config), launcher)
        load_checkpoint(runner.model, source)
        convert_weights(trained_network(runner))
        if box_step is not None:
            crop_by(runner.test_loop.dataloader.dataset, box_step)
        evaluator = runner.test_loop.evaluator
        evaluator.metrics.extend(watch)
        evaluator.dataset_meta = runner.test_loop.dataloader.dataset.metainfo
        if lines is not None:
            lines.introduce(runner)
            runner.register_hook(lines)
        shield_workers_from_signals(runner.test_loop.dataloader)
        with ignore_log_errors(), translate_worker_errors():
            return runner, runner.test()


def _disable_validation(config: Config) -> None:
    config.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    config.get('default_hooks', {}).get('checkpoint', {}).pop('save_best', None)


def _set_default_loop_and_guard(config: Config) -> None:
    """Use the loops that resume exactly, and the Guard hook, unless the config chooses others."""
    loop = config.get('train_cfg') or {}
    if 'by_epoch' in loop and 'type' not in loop:
        loop_type = 'EpochLoop' if loop['by_epoch'] else 'IterLoop'
        config.train_cfg = dict(type=loop_type, **{key: value for key, value in loop.items() if key != 'by_epoch'})
    if config.get('default_hooks') is None:
        config.default_hooks = {}
    hooks = config.default_hooks
    hooks.setdefault('guard', dict(type='Guard'))
    for name in [name for name, hook in hooks.items() if hook is None and name not in RUNNERS_HOOKS]:
        del hooks[name]  # mmengine takes None for its own default hooks alone


def _without_training(config: Config) -> Config:
    """Return the config, or a copy without training if its training part is incomplete: mmengine refuses a part."""
    training_keys = ('train_dataloader', 'train_cfg', 'optim_wrapper')
    if all(config.get(key) is not None for key in training_keys):
        return config
    config = copy.deepcopy(config)
    config.merge_from_dict(dict.fromkeys((*training_keys, 'param_scheduler')))
    return config


def _build_runner(config: Config, launcher: str, training: bool = False, resumed: str | None = None) -> Runner:
    join_ranks(launcher, config)
    if launcher == 'none':
        config.launcher = 'none'
    settle_loaders(config)
    set_worker_timeouts(config)
    lines = settle_speed(config, training, resumed)
    import_sharding()  # a prediction before, in the same program, has left it out
    runner = FaceRunner.from_cfg(AtomicConfig.of(config))
    for line in lines:
        note(line, runner.logger)
    return runner


def _enable_rate_scaling(config: Config) -> None:
    if 'base_batch_size' not in config.get('auto_scale_lr', {}):
        raise FacelmkError(
            f'{config.filename}: --auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...). Set it to the batch '
            'size that the learning rate was chosen for'
        )
    config.auto_scale_lr.enable = True


def _scale_for_accumulation(config: Config) -> dict[str, Any] | None:
    """Return `auto_scale_lr` with gradient accumulation taken into account, which mmengine 0.10.7 ignores."""
    scale, steps = config.get('auto_scale_lr'), (config.get('optim_wrapper') or {}).get('accumulative_counts', 1)
    if steps == 1 or not (scale or {}).get('base_batch_size'):
        return scale
    return dict(scale, base_batch_size=scale.base_batch_size / steps)
