"""One training step and one validation batch on the CPU with the real data, before a long run."""
import math
from typing import Any

from mmengine import Config
from mmengine.optim import build_optim_wrapper

from ..datasets import FaceDataset, collate_faces
from .findings import ERROR, NOTE, Finding, Parts, attempt

FACES = 2


def rehearse(config: Config, parts: Parts) -> list[Finding]:
    """What came of it; the model that was built is used up."""
    found: list[Finding] = []
    if 'train' in parts.sets and config.get('optim_wrapper') is not None:
        losses = attempt(lambda: _train(config, parts), 'training step', 4, found)
        wrong = [name for name, value in (losses or {}).items() if not math.isfinite(value)]
        if wrong:
            found.append(Finding(ERROR, 'training step', f'{", ".join(wrong)} is not finite'))
        elif losses:
            told = ', '.join(f'{name} {value:.4g}' for name, value in losses.items())
            found.append(Finding(NOTE, 'training step', told))
    if 'val' in parts.sets:
        figures = attempt(lambda: _validate(parts), 'validation batch', 4, found)
        if figures is not None:
            told = ', '.join(f'{name} {value:.4g}' for name, value in figures.items()) or 'no metric'
            found.append(Finding(NOTE, 'validation batch', f'{told} (of an untrained model, on {FACES} faces)'))
    return found


def _faces(data: FaceDataset) -> dict[str, Any]:
    return collate_faces([data[0, 0, i % len(data)] for i in range(FACES)])


def _train(config: Config, parts: Parts) -> dict[str, float]:
    given = {key: value for key, value in config.optim_wrapper.items() if key not in ('type', 'loss_scale', 'dtype')}
    assert parts.model is not None
    wrapper = build_optim_wrapper(parts.model, {**given, 'type': 'OptimWrapper', 'accumulative_counts': 1})
    parts.model.train()
    told = parts.model.train_step(_faces(parts.sets['train']), wrapper)
    return {name: float(value.detach()) for name, value in told.items()}


def _validate(parts: Parts) -> dict[str, float]:
    data = parts.sets['val']
    assert parts.model is not None
    parts.model.eval()
    batch = collate_faces([data[0, 0, i] for i in range(min(FACES, len(data)))])
    predictions = parts.model.val_step(batch)
    figures: dict[str, float] = {}
    for metric in parts.metrics:
        metric.dataset_meta = data.metainfo
        metric.process(batch, predictions)
        figures |= metric.evaluate(len(predictions))
    return figures
