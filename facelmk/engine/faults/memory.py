"""A step that runs out of memory: said with the size of its batch, in place of the allocator's own words."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from mmengine.runner import Runner

from ...errors import TrainingFault

_SHORT = re.compile(r'out of memory|allocate memory|not enough memory', re.IGNORECASE)


def explain_out_of_memory(runner: Runner) -> None:
    """Watch the steps of training and validation."""
    for step, loader in (
        ('train_step', runner.train_dataloader),
        ('val_step', None if runner.val_loop is None else runner.val_dataloader),
    ):
        if loader is not None and hasattr(runner.model, step):
            name = f'{step.removesuffix("_step")}_dataloader.batch_size'
            vars(runner.model)[step] = _told(getattr(runner.model, step), runner, name, loader.batch_size)


def _told(step: Callable, runner: Runner, name: str, size: int | None) -> Callable:
    @wraps(step)
    def watched(*arguments: Any, **options: Any) -> Any:
        try:
            return step(*arguments, **options)
        except (MemoryError, RuntimeError) as error:
            known = isinstance(error, (MemoryError, torch.OutOfMemoryError))
            if not known and not _SHORT.search(str(error)):
                raise
            same = (
                'optim_wrapper.accumulative_counts=2 then gives the same update; ' if name.startswith('train') else ''
            )
            raise TrainingFault(
                f'iteration {runner.iter + 1}: out of memory on {next(runner.model.parameters()).device}, {name}='
                f'{size}. Lower it, to {max(1, (size or 1) // 2)} say; {same}smaller crops and mixed precision need '
                f'less, too. {str(error).strip().splitlines()[0] if str(error).strip() else ""}'
            ) from error

    return watched
