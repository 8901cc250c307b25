"""One training step and one validation batch on the CPU with the real data, before a long run."""

import math
from typing import Any

from mmengine import Config
from mmengine.optim import build_optim_wrapper

from ...datasets import FaceDataset, collate_faces
from ...registry import PARAM_SCHEDULERS
from .findings import ERROR, NOTE, Finding, Parts, attempt

FACES = 2
END = 10**9  # of a schedule that names none


def rehearse(config: Config, parts: Parts) -> list[Finding]:
    """What came of it; the model that was built is used up."""
    found: list[Finding] = []
    if 'train' in parts.sets and config.get('optim_wrapper') is not None:
        found += _trained(config, parts)
    if 'val' in parts.sets:
        data = parts.sets['val']
        batch = attempt(lambda: _faces(data, min(FACES, len(data))), 'validation data', 4, found)
        figures = None if batch is None else attempt(lambda: _validate(parts, batch), 'validation batch', 2, found)
        if figures is not None:
            told = ', '.join(f'{name} {value:.4g}' for name, value in figures.items()) or 'no metric'
            found.append(Finding(NOTE, 'validation batch', f'{told} (of an untrained model, on {FACES} faces)'))
    return found


def _trained(config: Config, parts: Parts) -> list[Finding]:
    """Optimizer, a step on two faces, and the schedules after it, which change the optimizer's rate."""
    found: list[Finding] = []
    batch = attempt(lambda: _faces(parts.sets['train']), 'training data', 4, found)
    wrapper = attempt(lambda: _optimizer(config, parts), 'optimizer', 2, found)
    if wrapper is None or batch is None:
        return found
    losses = attempt(lambda: _train(parts, batch, wrapper), 'training step', 2, found)
    if wrong := [name for name, value in (losses or {}).items() if not math.isfinite(value)]:
        found.append(Finding(ERROR, 'training step', f'{", ".join(wrong)} is not finite'))
    elif losses:
        told = ', '.join(f'{name} {value:.4g}' for name, value in losses.items())
        found.append(Finding(NOTE, 'training step', told))
    rows = config.get('param_scheduler') or ()
    for row in [rows] if isinstance(rows, dict) else rows:
        attempt(lambda row=row: _schedule(row, wrapper), 'schedule', 2, found)  # type: ignore[misc]
    return found


def _schedule(row: dict[str, Any], wrapper: Any) -> Any:
    """A schedule built as the Runner builds it, for epochs of two steps."""
    given = {'end': END, **row}
    if not given.pop('convert_to_iter_based', False):
        return PARAM_SCHEDULERS.build(given, default_args=dict(optimizer=wrapper, epoch_length=FACES))
    part: Any = PARAM_SCHEDULERS.get(given.pop('type'))
    return part.build_iter_from_epoch(optimizer=wrapper, epoch_length=FACES, **given)


def _faces(data: FaceDataset, count: int = FACES) -> dict[str, Any]:
    return collate_faces([data[0, 0, i % len(data)] for i in range(count)])


def _optimizer(config: Config, parts: Parts) -> Any:
    given = {key: value for key, value in config.optim_wrapper.items() if key not in ('type', 'loss_scale', 'dtype')}
    assert parts.model is not None
    return build_optim_wrapper(parts.model, {**given, 'type': 'OptimWrapper', 'accumulative_counts': 1})


def _train(parts: Parts, batch: dict[str, Any], wrapper: Any) -> dict[str, float]:
    assert parts.model is not None
    parts.model.train()
    told = parts.model.train_step(batch, wrapper)
    return {name: float(value.detach()) for name, value in told.items()}


def _validate(parts: Parts, batch: dict[str, Any]) -> dict[str, float]:
    assert parts.model is not None
    parts.model.eval()
    predictions = parts.model.val_step(batch)
    figures: dict[str, float] = {}
    for metric in parts.metrics:
        metric.dataset_meta = parts.sets['val'].metainfo
        metric.process(batch, predictions)
        figures |= metric.evaluate(len(predictions))
    return figures
