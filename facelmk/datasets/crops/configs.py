"""The crop cache in a config: the steps that load pictures, and the pipelines that a training may use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import FacelmkError
from ..base import FaceDataset, build_steps, pipeline_of
from .build import CropCacheBuilder
from .index import About

DEFAULT_FOLDER = 'data/crop_cache'


def set_crop_cache(config: Any, phase: str, folder: str | None) -> None:
    """Let all steps of a phase that load pictures use a crop cache, or none."""
    loads = [step for pipeline in _pipelines(config, phase) for step in _loads(pipeline)]
    if not loads and folder is not None:
        raise FacelmkError(
            f'{config.filename}: the pipeline of {phase}_dataloader has no LoadImage, so a crop cache cannot be used'
        )
    for step in loads:
        step.pop('crop_cache', None)
        if folder is not None:
            step['crop_cache'] = folder


def crop_cache_of(config: Any, phase: str) -> str | None:
    """Return the crop cache that a config uses in a phase, or None."""
    loads = (step for pipeline in _pipelines(config, phase) for step in _loads(pipeline))
    return next((str(step['crop_cache']) for step in loads if step.get('crop_cache')), None)


def builder_of(config: Any, phase: str, folder: Path, about: About, dataset: FaceDataset) -> CropCacheBuilder:
    """Return the builder of the cache of a phase, whose data set is built already."""
    configs = list(_pipelines(config, phase))
    limits = {step.get('max_pixels') for pipeline in configs for step in _loads(pipeline)}
    limit = None if None in limits else max(limits, default=None)
    return CropCacheBuilder(folder, dataset, [build_steps(pipeline) for pipeline in configs], about, limit)


def largest_crop(config: Any, phase: str) -> int:
    """Return the side of the largest crop of a phase."""
    return max(
        (step.get('size', 256) for pipeline in _pipelines(config, phase) for step in _steps(pipeline)
         if str(step.get('type')).rpartition('.')[2] == 'CropFace'),
        default=256,
    )  # fmt: skip


def _pipelines(config: Any, phase: str) -> Iterator[Any]:
    """Yield the pipeline of a phase; for training also that of its second stage."""
    loader = config.get(f'{phase}_dataloader')
    if loader is None:
        raise FacelmkError(f'{config.filename}: there is no {phase}_dataloader. Choose another --phase')
    yield pipeline_of(loader.dataset)
    if phase == 'train':
        hooks = config.get('custom_hooks') or ()
        yield from (hook['pipeline'] for hook in hooks if hook.get('type') == 'SwitchPipeline' and 'pipeline' in hook)


def _steps(pipeline: Any) -> Iterator[Any]:
    """Yield all steps of a pipeline, also those of the stages in FromEpoch."""
    for step in pipeline:
        yield step
        for key in ('pipeline', 'before'):
            yield from _steps(step.get(key) or ())


def _loads(pipeline: Any) -> Iterator[Any]:
    return (step for step in _steps(pipeline) if str(step.get('type')).rpartition('.')[2] == 'LoadImage')
