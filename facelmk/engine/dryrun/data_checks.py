"""Checks of the data: landmark schemes that agree with the model, subsets, faces shared by training and test."""

from collections.abc import Iterator

from mmengine import Config

from ...errors import did_you_mean
from ...markups import MARKUPS
from ...metrics.base import FaceMetric
from .findings import ERROR, NOTE, WARNING, Finding, Parts
from .overlap import shared_faces


def check_schemes(config: Config, parts: Parts) -> Iterator[Finding]:
    """Data sets whose landmark scheme, which their members may decide, is not the model's."""
    scheme = getattr(getattr(parts.model, 'markup', None), 'name', None)
    for phase, data in parts.datasets.items():
        if scheme is not None and not MARKUPS[scheme].same_points(data.markup):
            yield Finding(
                ERROR,
                'landmark scheme',
                f'the model has {scheme!r}, the {phase} data have {data.markup.name!r} ({data.markup.size} points)',
            )


def check_best(config: Config, parts: Parts) -> Iterator[Finding]:
    """A `save_best` for a subset that the validation data do not have."""
    best = ((config.get('default_hooks') or {}).get('checkpoint') or {}).get('save_best') or ()
    data, metrics = parts.datasets.get('val'), [metric for metric in parts.metrics if isinstance(metric, FaceMetric)]
    if data is None:
        return
    known = {name for metric in metrics for name in metric.with_prefix(metric.figures([]))}
    known |= {f'{name}/{subset}' for name in known for subset in data.metainfo['subsets']}
    for key in [best] if isinstance(best, str) else best:
        if key not in known and key.rpartition('/')[0] in known:
            yield Finding(ERROR, 'save_best', f'{key!r} is no figure. {did_you_mean(key, known)}')


def check_overlap(config: Config, parts: Parts) -> Iterator[Finding]:
    """Faces and pictures that training and a test share."""
    test_is_val = 'test' in parts.datasets and parts.datasets['test'] is parts.datasets.get('val')
    for phase in ('val', 'test'):
        if phase in parts.datasets and 'train' in parts.datasets and not (phase == 'test' and test_is_val):
            yield from _overlap_of(config, parts, phase)
    if test_is_val:
        yield Finding(NOTE, 'val and test', 'one data set: the best checkpoint is chosen on the faces of the test')


def _overlap_of(config: Config, parts: Parts, phase: str) -> Iterator[Finding]:
    train, other = (
        {key: value for key, value in config[f'{name}_dataloader'].dataset.items() if key != 'pipeline'}
        for name in ('train', phase)
    )
    if other == train:
        message = f'the {phase} data are the training data, so that their figures say nothing'
        yield Finding(ERROR, 'train and test', message)
        return
    faces, pictures = shared_faces(parts.datasets['train'], parts.datasets[phase])
    if faces:
        message = f'{len(faces)} faces of {phase} are in the training set, too. The first is {faces[0]}'
        yield Finding(ERROR, 'train and test', message, 4)
    if pictures:
        message = (
            f'{len(pictures)} pictures of {phase} show other faces of the training set. The first is {pictures[0]}'
        )
        yield Finding(WARNING, 'train and test', message)
