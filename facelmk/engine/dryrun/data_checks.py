"""Checks of the data: landmark schemes and crop sizes that agree with the model, faces shared by training and test."""

from collections.abc import Iterator

from mmengine import Config

from ...markups import MARKUPS
from .findings import ERROR, NOTE, WARNING, Finding, Parts
from .overlap import shared_faces


def check_crops_and_schemes(config: Config, parts: Parts) -> Iterator[Finding]:
    """Data sets whose landmark scheme or crop size is not the model's."""
    scheme = getattr(getattr(parts.model, 'markup', None), 'name', None)
    model_size = (config.get('model') or {}).get('size')
    for phase, data in parts.datasets.items():
        if scheme is not None and not MARKUPS[scheme].same_points(data.markup):
            yield Finding(
                ERROR,
                'landmark scheme',
                f'the model has {scheme!r}, the {phase} data have {data.markup.name!r} ({data.markup.size} points)',
            )
        for step in config[f'{phase}_dataloader'].dataset.get('pipeline', ()):
            if isinstance(step, dict) and str(step.get('type', '')).endswith('CropFace'):
                size = step.get('size', 256)
                if model_size is not None and size != model_size:
                    message = f'the {phase} pipeline makes crops of {size} pixels, the model expects {model_size}'
                    yield Finding(ERROR, 'crop', message)


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
