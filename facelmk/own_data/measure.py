"""The errors of a model on the validation faces of a config: before a training, and after it."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine import Config

from ..checkpoint import load_checkpoint
from ..metrics.bootstrap import LEVEL, groups_of
from ..registry import DATASETS, FUNCTIONS, METRICS, MODELS
from ..report.paired import Difference, FaceErrors, compare_errors
from ..report.tables import range_text


@torch.no_grad()
def measure(config: Config, checkpoint: str | Path) -> FaceErrors:
    """Return the errors of a checkpoint on the validation faces, in per cent."""
    network: Any = MODELS.build(config.model).eval()
    load_checkpoint(network, checkpoint)
    loader = config.val_dataloader
    dataset: Any = DATASETS.build(loader.dataset)
    metric: Any = METRICS.build(config.val_evaluator[0])
    metric.dataset_meta = dataset.metainfo
    collate: Any = FUNCTIONS.get('collate_faces')
    for first in range(0, len(dataset), loader.batch_size):
        batch = collate([dataset[i] for i in range(first, min(len(dataset), first + loader.batch_size))])
        metric.process(batch, network.test_step(batch))
    rows = metric.results[metric.is_measured(metric.results)]
    paths = {face['id']: face['path'] for face in map(dataset.face, range(len(dataset)))}
    return FaceErrors(
        file=str(checkpoint),
        name=Path(checkpoint).name,
        normaliser=metric.normaliser,
        ids=list(map(str, rows.ids)),
        error=100 * np.asarray(rows.error, np.float64),
        points=np.asarray(rows.points, np.int64),
        length=np.zeros(len(rows)),
        groups=groups_of([paths[name] for name in rows.ids]),
        subsets={},
        headline=None,
        by_point=True,
    )


def describe(errors: FaceErrors) -> str:
    """Say in words what the error of faces is: the NME, the mean over their visible points."""
    if not len(errors.error):
        return f'no validation face can be measured: each of them lacks {errors.normaliser}'
    mean = float(np.average(errors.error, weights=errors.points))
    return f'NME {mean:.2f} % of {errors.normaliser} ({len(errors.error)} validation faces)'


def compare(start: FaceErrors, end: FaceErrors) -> Difference:
    """Return the difference that a training made."""
    return next(iter(compare_errors(start, end).values()))


def verdict(one: Difference) -> str:
    """Say in one line what the training gained on the validation faces."""
    if not one.used:
        return 'no validation face has an error, so nothing can be said about the training'
    limits = f'{100 * LEVEL:g} % interval of the difference {range_text(one.interval)}'
    text = f'after training: NME {one.b:.2f} % on the {one.used} validation faces, {one.a:.2f} % before the training'
    if one.is_clear:
        return f'{text}: {"better" if one.difference < 0 else "worse"} ({limits})'
    return f'{text}: these faces do not show which is better ({limits})'
