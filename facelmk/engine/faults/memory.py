"""Out of memory in a step: replace the allocator's message by one that names the batch size."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from mmengine.runner import Runner

from ...errors import TrainingFault

_OUT_OF_MEMORY = re.compile(r'out of memory|allocate memory|not enough memory', re.IGNORECASE)


def explain_out_of_memory(runner: Runner) -> None:
    """Wrap the steps of training and validation."""
    for step, loader in (
        ('train_step', runner.train_dataloader),
        ('val_step', None if runner.val_loop is None else runner.val_dataloader),
    ):
        if loader is not None and hasattr(runner.model, step):
            name = f'{step.removesuffix("_step")}_dataloader.batch_size'
            vars(runner.model)[step] = _explained(getattr(runner.model, step), runner, name, loader.batch_size)


def _explained(step: Callable, runner: Runner, name: str, size: int | None) -> Callable:
    @wraps(step)
    def explained(*arguments: Any, **options: Any) -> Any:
        try:
            return step(*arguments, **options)
        except (MemoryError, RuntimeError) as error:
            known = isinstance(error, (MemoryError, torch.OutOfMemoryError))
            if not known and not _OUT_OF_MEMORY.search(str(error)):
                raise
            accumulate = (
                '; optim_wrapper.accumulative_counts=2 then gives the same update' if name.startswith('train') else ''
            )
            raise TrainingFault(
                f'iteration {runner.iter + 1}: out of memory on {next(runner.model.parameters()).device}, with {name}='
                f'{size}. Lower it to {max(1, (size or 1) // 2)}, for example{accumulate}. Smaller crops and mixed '
                f'precision need less memory, too. {"".join(str(error).strip().splitlines()[:1])}'
            ) from error

    return explained
