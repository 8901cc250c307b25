"""Checks of a run: metrics, hooks, start weights, learning rate, schedule and disk."""

import math
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from mmengine import Config
from mmengine.hooks import EMAHook

from ...checkpoint import Address, find_checkpoint, find_weights
from ...config.folders import check_writable
from ...config.schema import rows
from ...errors import FacelmkError
from ...registry import HOOKS, MODELS
from .findings import ERROR, NOTE, WARNING, Finding, Parts, attempt

MAX_DISK_SHARE = 0.5  # of the free disk; checkpoints that may take more are a warning


def check_hooks(config: Config, parts: Parts) -> list[Finding]:
    """Hooks and averaged models that cannot be built."""
    findings: list[Finding] = []
    for row in (*(config.get('default_hooks') or {}).values(), *(config.get('custom_hooks') or ())):
        if not isinstance(row, dict) or 'type' not in row:
            continue
        subject = f'hook {row["type"]}'
        options = {key: value for key, value in row.items() if key != 'priority'}
        hook = attempt(partial(HOOKS.build, options), subject, 2, findings)
        if isinstance(hook, EMAHook) and parts.model is not None:
            build = partial(MODELS.build, hook.ema_cfg, default_args=dict(model=parts.model))
            attempt(build, subject, 2, findings)
    return findings


def check_weights(config: Config) -> list[Finding]:
    """Start weights that are not there; nothing is downloaded."""
    findings: list[Finding] = []
    backbone = (config.get('model') or {}).get('backbone') or {}
    for key, name in (('load_from', config.get('load_from')), ('pretrained', backbone.get('pretrained'))):
        if not isinstance(name, str) or (key, name) == ('pretrained', 'timm'):
            continue
        if isinstance(attempt(partial(_weights, name), key, 3, findings), Address):
            findings.append(Finding(NOTE, 'weights', f'{key}={name} is downloaded where the cache does not hold it'))
    return findings


def _weights(name: str) -> Path | Address:
    """The file of weights, or the address that they are downloaded from."""
    return find_weights(name) or find_checkpoint(name)


def check_learning_rate(config: Config, gpus: int) -> Iterator[Finding]:
    """The batch that the learning rate was chosen for, against the batch of this run."""
    rate = ((config.get('optim_wrapper') or {}).get('optimizer') or {}).get('lr')
    scale = config.get('auto_scale_lr') or {}
    base = scale.get('base_batch_size')
    if config.get('train_dataloader') is None or not isinstance(rate, (int, float)) or not base:
        yield Finding(NOTE, 'learning rate', 'the config does not say for which batch it is (auto_scale_lr)')
        return
    steps = int((config.get('optim_wrapper') or {}).get('accumulative_counts', 1))
    batch = int(config.train_dataloader.get('batch_size', 1)) * gpus * steps
    actual = f'{gpus} GPU{"s make" if gpus > 1 else " makes"} {batch}'
    actual += f' in {steps} steps that are summed up' if steps > 1 else ''
    scaled = f'{rate:g} is for a batch of {base}; {actual}, for which it scales to {rate * batch / base:g}'
    if batch == base:
        yield Finding(NOTE, 'learning rate', f'{rate:g} for a batch of {base}; {actual}')
    elif scale.get('enable'):
        yield Finding(NOTE, 'learning rate', f'{scaled}, as auto_scale_lr.enable makes it')
    else:
        yield Finding(WARNING, 'learning rate', f'{scaled}: train with --auto-scale-lr')


def check_schedule(config: Config, parts: Parts, gpus: int) -> Iterator[Finding]:
    """The number of steps, and warm-up and milestones among them."""
    loop, loader = config.get('train_cfg') or {}, config.get('train_dataloader') or {}
    data, epochs = parts.datasets.get('train'), loop.get('max_epochs')
    if data is None or not len(data) or not isinstance(epochs, int):
        return
    share, batch = math.ceil(len(data) / gpus), int(loader.get('batch_size', 1))
    epoch_steps = share // batch if loader.get('drop_last') else math.ceil(share / batch)
    if not epoch_steps:
        yield Finding(ERROR, 'schedule', f'{share} faces a GPU make no batch of {batch} with drop_last')
        return
    if share % batch == 1 and not loader.get('drop_last'):
        yield Finding(
            WARNING,
            'schedule',
            'the last batch of an epoch has one face, on which BatchNorm cannot train, so that it is left out. '
            'Choose another batch_size, or set train_dataloader.drop_last=True',
        )
    yield Finding(NOTE, 'schedule', f'{epoch_steps} steps an epoch, {epoch_steps * epochs} in {epochs} epochs')
    yield from _check_marks(rows(config.get('param_scheduler')), epoch_steps, epoch_steps * epochs)


def _check_marks(schedules: list[Any], epoch_steps: int, last: int) -> Iterator[Finding]:
    """A warm-up or a milestone after the end of training, and milestones within the warm-up."""
    warmup, milestones = 0.0, []
    for row in schedules:
        by_epoch = row.get('by_epoch', True)
        if str(row.get('type', '')).startswith(('Linear', 'Constant')) and isinstance(row.get('end'), (int, float)):
            warmup = max(warmup, row['end'] * (epoch_steps if by_epoch and not row.get('convert_to_iter_based') else 1))
        milestones += [milestone * (epoch_steps if by_epoch else 1) for milestone in row.get('milestones', ())]
    for step, words in ((warmup, 'warm-up ends'), (max(milestones, default=0), 'the last milestone lies')):
        if step >= last:
            yield Finding(WARNING, 'schedule', f'{words} at step {step:g}, training at step {last}')
    if milestones and warmup > min(milestones):
        message = f'warm-up ends at step {warmup:g}, after the first milestone at {min(milestones)}'
        yield Finding(WARNING, 'schedule', message)


def check_disk(config: Config, parts: Parts) -> Iterator[Finding]:
    """Whether the work folder has room for the checkpoints."""
    try:
        check_writable(config.work_dir)
    except FacelmkError as error:
        yield Finding(ERROR, 'work_dir', str(error))
        return
    if parts.model is None:
        return
    count, size, with_average = _checkpoints(config, parts.model)
    absolute = Path(config.work_dir).absolute()
    folder = next(path for path in (absolute, *absolute.parents) if path.exists())
    free, needed = shutil.disk_usage(folder).free, count * size
    severity = ERROR if needed > free else WARNING if needed > MAX_DISK_SHARE * free else NOTE
    yield Finding(
        severity,
        'disk',
        f'checkpoints may take {needed / 2**30:.2f} GiB, {folder} has {free / 2**30:.2f} GiB free '
        f'({count} of {size / 2**20:.0f} MiB{", averaged weights included" if with_average else ""})',
    )


def _checkpoints(config: Config, model: Any) -> tuple[int, int, bool]:
    """How many checkpoints lie on the disk at most, the bytes of one, and whether they hold averaged weights."""
    hook = (config.get('default_hooks') or {}).get('checkpoint', {})
    epochs = (config.get('train_cfg') or {}).get('max_epochs')
    limit = hook.get('max_keep_ckpts', -1)
    saves = math.ceil((epochs if isinstance(epochs, int) else 1) / max(hook.get('interval', 1), 1))
    best = hook.get('save_best')
    extra = 1 + (len(best) if isinstance(best, list) else bool(best)) + bool(hook.get('every') or hook.get('minutes'))
    averages = sum(str(row.get('type', '')).endswith('EMAHook') for row in config.get('custom_hooks') or ())
    copies = 1 + averages + (2 if hook.get('save_optimizer', True) else 0)  # Adam has two moments
    weights = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    # `extra`: the file that is being written, the best ones, the one inside an epoch
    return (limit if limit > 0 else saves) + extra, copies * weights, bool(averages)
