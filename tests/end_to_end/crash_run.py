"""A small training that kills its process: FOLDER [RESUME [ITERATION [SIGNAL [EPOCHS]]]]."""

import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from mmengine.hooks import Hook

from facelmk.config import load_config
from facelmk.engine.run import train
from facelmk.errors import FacelmkError
from facelmk.registry import HOOKS

NOISE, KILL = 1e-3, {'kill': signal.SIGKILL, 'term': signal.SIGTERM, 'int': signal.SIGINT}


@HOOKS.register_module()
class Disturb(Hook):
    """Changes weights by numbers from all random generators, so that a wrong state of one changes the result."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        draw = random.random() + np.random.rand() + torch.rand(())
        with torch.no_grad():
            for value in runner.model.parameters():
                value.add_(NOISE * draw * torch.rand(()) * value)


@HOOKS.register_module()
class Kill(Hook):
    """Sends this process a signal in the middle of an iteration, after loading the batch and before the step."""

    priority = 'LOWEST'

    def __init__(self, at, how):
        self.at, self.how = at, how

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at:
            os.kill(os.getpid(), KILL[self.how])


def options(folder, epochs):
    values = {
        'work_dir': folder,
        'train_cfg.max_epochs': epochs,
        'train_cfg.val_interval': 1,
        'randomness.seed': 5,
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': 2,
        'default_hooks.checkpoint.every': 2,
        'default_hooks.logger.interval': 1,
    }
    for phase, count, batch in (('train', 22, 4), ('val', 6, 4)):
        values |= {
            f'{phase}_dataloader.{key}': value
            for key, value in {
                'dataset.count': count,
                'dataset.cache': None,
                'dataset.size': 64,
                'dataset.pipeline.1.size': 64,
                'batch_size': batch,
                'num_workers': 2,
            }.items()
        }
    return values


def main(folder, resume='', at='-1', how='kill', epochs='2'):
    torch.set_num_threads(1)
    config = load_config('quickstart', options(folder, int(epochs)))
    config.custom_hooks = [
        dict(type='EMAHook', momentum=0.1),
        dict(type='Disturb'),
        dict(type='Kill', at=int(at), how=how),
    ]
    try:
        train(config, resume or None)
    except FacelmkError as error:
        print(f'facelmk: {error}', file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == '__main__':
    main(str(Path(sys.argv[1])), *sys.argv[2:])
