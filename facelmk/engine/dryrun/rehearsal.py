"""One training step and one validation batch on the CPU with the real data, before a long run."""

import math
from collections.abc import Mapping
from typing import Any

from mmengine import Config
from mmengine.optim import build_optim_wrapper

from ...config.schema import rows
from ...datasets.base import SampleDataset
from ...registry import FUNCTIONS, PARAM_SCHEDULERS
from .findings import ERROR, NOTE, Finding, Parts, attempt

FACES = 2
LAST_STEP = 10**9  # of a schedule that names no end


def rehearse(config: Config, parts: Parts) -> list[Finding]:
    """The findings of a step and of a batch; the step changes the model that was built."""
    findings: list[Finding] = []
    if 'train' in parts.datasets and config.get('optim_wrapper') is not None:
        _rehearse_training(config, parts, findings)
    if 'val' in parts.datasets:
        data = parts.datasets['val']
        batch = attempt(lambda: _batch(config, 'val', data, min(FACES, len(data))), 'validation data', 4, findings)
        if batch is not None:
            figures = attempt(lambda: _validate(parts, batch), 'validation batch', 2, findings)
            if figures is not None:
                text = _in_words(figures) or 'no metric'
                findings.append(Finding(NOTE, 'validation batch', f'{text} (of an untrained model, on {FACES} faces)'))
    return findings


def _rehearse_training(config: Config, parts: Parts, findings: list[Finding]) -> None:
    """Optimizer, a step on two faces, and after it the schedules, which change the optimizer's rate."""
    batch = attempt(lambda: _batch(config, 'train', parts.datasets['train']), 'training data', 4, findings)
    wrapper = attempt(lambda: _build_wrapper(config, parts), 'optimizer', 2, findings)
    if wrapper is None or batch is None:
        return
    losses = attempt(lambda: _train(parts, batch, wrapper), 'training step', 2, findings)
    if wrong := [name for name, value in (losses or {}).items() if not math.isfinite(value)]:
        findings.append(Finding(ERROR, 'training step', f'{", ".join(wrong)} is not finite'))
    elif losses:
        findings.append(Finding(NOTE, 'training step', _in_words(losses)))
    for row in rows(config.get('param_scheduler')):
        attempt(lambda row=row: _build_schedule(row, wrapper), 'schedule', 2, findings)  # type: ignore[misc]


def _build_schedule(row: dict[str, Any], wrapper: Any) -> Any:
    """A schedule as the Runner builds it, for epochs of two steps."""
    options = {'end': LAST_STEP, **row}
    if not options.pop('convert_to_iter_based', False):
        return PARAM_SCHEDULERS.build(options, default_args=dict(optimizer=wrapper, epoch_length=FACES))
    part: Any = PARAM_SCHEDULERS.get(options.pop('type'))
    return part.build_iter_from_epoch(optimizer=wrapper, epoch_length=FACES, **options)


def _batch(config: Config, phase: str, data: SampleDataset, count: int = FACES) -> dict[str, Any]:
    """A batch as the loader of a phase makes it."""
    collate: Any = FUNCTIONS.get(config[f'{phase}_dataloader'].collate_fn['type'])
    return collate([data[0, 0, i % len(data)] for i in range(count)])


def _build_wrapper(config: Config, parts: Parts) -> Any:
    """The optimizer without mixed precision, which a CPU may lack, and without summed steps."""
    options = {key: value for key, value in config.optim_wrapper.items() if key not in ('type', 'loss_scale', 'dtype')}
    assert parts.model is not None
    return build_optim_wrapper(parts.model, {**options, 'type': 'OptimWrapper', 'accumulative_counts': 1})


def _train(parts: Parts, batch: dict[str, Any], wrapper: Any) -> dict[str, float]:
    assert parts.model is not None
    parts.model.train()
    losses = parts.model.train_step(batch, wrapper)
    return {name: float(value.detach()) for name, value in losses.items()}


def _validate(parts: Parts, batch: dict[str, Any]) -> dict[str, float]:
    assert parts.model is not None
    parts.model.eval()
    predictions = parts.model.val_step(batch)
    figures: dict[str, float] = {}
    for metric in parts.metrics:
        metric.dataset_meta = parts.datasets['val'].metainfo
        metric.process(batch, predictions)
        figures |= metric.evaluate(len(predictions))
    return figures


def _in_words(figures: Mapping[str, float]) -> str:
    return ', '.join(f'{name} {value:.4g}' for name, value in figures.items())
