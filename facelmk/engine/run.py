"""Train and test: a config becomes an mmengine Runner, and a test becomes numbers in a file."""

import copy
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import json_tricks
import mmengine
import numpy as np
import torch
from mmengine import Config, ConfigDict
from mmengine.dist import get_world_size, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

from .. import __version__
from ..checkpoint import find_checkpoint, load_checkpoint  # the module registers the safe readers with mmengine, too
from ..errors import FacelmkError, MissingResource
from ..files.atomic import translate_lost_folder_errors
from .faults.stopping import graceful_shutdown
from .faults.workers import limit_patience, translate_worker_errors
from .hooks import CheckResumed
from .ranks import join_ranks
from .saving.newest import newest


@dataclass
class Drawing:
    """Which predictions of a validation or test are drawn: into a folder, on the screen, every so many."""

    folder: str | None = None
    show: bool = False
    interval: int = 1
    wait: float = 1.0

    def join(self, config: Config) -> None:
        """Put the drawing hook into a config, if anything is to be drawn."""
        if self.folder is None and not self.show:
            return
        config.custom_hooks = [
            *config.get('custom_hooks', []),
            ConfigDict(
                type='DrawPredictions', folder=self.folder, interval=self.interval, show=self.show, wait=self.wait
            ),
        ]


def train(
    config: Config,
    resume: str | None = None,
    amp: bool = False,
    scale_rate: bool = False,
    validate: bool = True,
    launcher: str = 'none',
    drawing: Drawing | None = None,
) -> Runner:
    """Train as the config says; `resume` is 'auto' (the newest checkpoint of the work folder) or a checkpoint."""
    if amp:
        _mixed_precision(config)
    if scale_rate:
        _scale_rate(config)
    if not validate:
        for key in ('val_cfg', 'val_dataloader', 'val_evaluator'):
            config[key] = None
        config.get('default_hooks', {}).get('checkpoint', {}).pop('save_best', None)
    resume = _where_from(config.work_dir, resume)
    if resume is not None:
        config.resume = True
        config.load_from = newest(config.work_dir) if resume == 'auto' else resume
    _safely(config)
    (drawing or Drawing()).join(config)
    runner = _runner(config, launcher)
    runner.auto_scale_lr = _counting_steps(config)
    if resume is not None:
        runner.register_hook(CheckResumed())
    with graceful_shutdown(), translate_worker_errors(), translate_lost_folder_errors(config.work_dir):
        runner.train()
    return runner


def _where_from(work_dir: str, resume: str | None) -> str | None:
    """What to resume, where torchrun starts a command anew after a rank died: what this run has saved itself.

    A first start therefore takes the note of what was written last away, if it does not go on from there.
    """
    if int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)) > 0:
        return newest(work_dir, own=True) or resume
    if resume != 'auto':
        Path(work_dir, 'last_checkpoint').unlink(missing_ok=True)
    return resume


def test(
    config: Config,
    source: str,
    launcher: str = 'none',
    drawing: Drawing | None = None,
    watch: Sequence[BaseMetric] = (),
) -> tuple[Runner, dict[str, float]]:
    """The metrics of a checkpoint (path or URL) on the config's test set, and the Runner that found them.

    `watch` are metrics beside the config's.
    """
    if config.get('test_dataloader') is None:
        raise FacelmkError(f'{config.filename}: there is no test_dataloader and no val_dataloader to test on')
    find_checkpoint(source)  # what is not there is told before the pages of a Runner's log
    config.load_from, config.resume = None, False  # the Runner would load what fits and go on
    (drawing or Drawing()).join(config)
    runner = _runner(_without_training(config), launcher)
    load_checkpoint(runner.model, source)
    evaluator = runner.test_loop.evaluator
    evaluator.metrics.extend(watch)
    evaluator.dataset_meta = runner.test_loop.dataloader.dataset.metainfo
    with translate_worker_errors():
        return runner, runner.test()


def _safely(config: Config) -> None:
    """Train by the loop that can go on where it was stopped, and under guard, where a config says nothing else."""
    loop = config.get('train_cfg') or {}
    if 'by_epoch' in loop and 'type' not in loop:
        kind = 'EpochLoop' if loop['by_epoch'] else 'IterLoop'
        config.train_cfg = dict(type=kind, **{key: value for key, value in loop.items() if key != 'by_epoch'})
    if config.get('default_hooks') is None:
        config.default_hooks = {}
    config.default_hooks.setdefault('guard', dict(type='Guard'))


def _without_training(config: Config) -> Config:
    """The config itself, or a copy without training where it does not say all of it: mmengine wants all or nothing."""
    parts = ('train_dataloader', 'train_cfg', 'optim_wrapper')
    if all(config.get(key) is not None for key in parts):
        return config
    config = copy.deepcopy(config)
    config.merge_from_dict(dict.fromkeys((*parts, 'param_scheduler')))
    return config


def _runner(config: Config, launcher: str) -> Runner:
    join_ranks(launcher, config)
    if launcher == 'none':
        config.launcher = 'none'
    limit_patience(config)
    return Runner.from_cfg(config)


def _mixed_precision(config: Config) -> None:
    if not torch.cuda.is_available():
        raise MissingResource('--amp needs a GPU: mixed precision gains nothing here. Leave --amp out')
    config.optim_wrapper.type = 'AmpOptimWrapper'
    config.optim_wrapper.setdefault('loss_scale', 'dynamic')


def _scale_rate(config: Config) -> None:
    if 'base_batch_size' not in config.get('auto_scale_lr', {}):
        raise FacelmkError(
            f'{config.filename}: --auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...), the '
            'batch that the learning rate was chosen for'
        )
    config.auto_scale_lr.enable = True


def _counting_steps(config: Config) -> dict[str, Any] | None:
    """`auto_scale_lr` for a batch that is summed up over several steps, which mmengine 0.10.7 leaves out."""
    scale, steps = config.get('auto_scale_lr'), (config.get('optim_wrapper') or {}).get('accumulative_counts', 1)
    if steps == 1 or not (scale or {}).get('base_batch_size'):
        return scale
    return dict(scale, base_batch_size=scale.base_batch_size / steps)


def record(
    metrics: dict[str, float],
    config: Config,
    source: str,
    faces: int,
    path: str | Path,
    floor: dict[str, float] | None = None,
) -> dict[str, Any]:
    """Write a test's numbers, and those of its floor if there is one, with what they belong to; returns all of it."""
    entry = {
        'config': Path(config.filename).stem,
        'checkpoint': str(source),
        'faces': faces,
        'metrics': metrics,
        'ranks': get_world_size(),
        'versions': versions(),
    } | ({} if floor is None else {'floor': floor})
    if is_main_process():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json_tricks.dumps(entry, indent=2, allow_nan=True) + '\n')
    return entry


def versions() -> dict[str, str]:
    """What the numbers were made with."""
    return {
        'facelmk': __version__,
        'python': platform.python_version(),
        'torch': torch.__version__,
        'mmengine': mmengine.__version__,
        'numpy': np.__version__,
        'opencv': cv2.__version__,
    }
