"""Fill in what a config leaves out: pipelines, crop size, samplers, collate, work folder."""

import copy
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine import Config, ConfigDict

from .. import registry as registries
from .arguments import arguments, find
from .overrides import replace

PIPELINES = {  # each loader and the top-level name of its pipeline
    'train_dataloader': 'train_pipeline',
    'val_dataloader': 'val_pipeline',
    'test_dataloader': 'val_pipeline',
}
SECOND_STAGE = 'train_pipeline_stage2'  # the pipeline of the hook SwitchPipeline
ONLY_FOR_COMPOSING = (*PIPELINES.values(), SECOND_STAGE, 'protocols')  # names that a complete config does not need


def complete(config: Config) -> None:
    """Fill in pipelines, crop size, samplers, collate, work folder, and TensorBoard where it is installed."""
    _fill_pipelines(config)
    for name in ONLY_FOR_COMPOSING:
        config.pop(name, None)
    _fill_size(config)
    for phase in ('train', 'val', 'test'):
        if config.get(f'{phase}_dataloader') is not None:
            _fill_loader(config[f'{phase}_dataloader'], training=phase == 'train')
    for phase in ('val', 'test'):
        if config.get(f'{phase}_dataloader') is not None and config.get(f'{phase}_cfg') is None:
            config[f'{phase}_cfg'] = ConfigDict()
    config.setdefault('work_dir', f'work_dirs/{Path(config.filename).stem}')
    config.setdefault('default_scope', registries.SCOPE)
    backends = config.get('visualizer', {}).get('vis_backends')
    if backends is not None and importlib.util.find_spec('tensorboard'):
        if not any(backend['type'] == 'TensorboardVisBackend' for backend in backends):
            backends.append(ConfigDict(type='TensorboardVisBackend'))


def put_options(config: Config, options: Mapping[str, Any], path: Path) -> None:
    """Replace values by dotted keys. The pipelines come first, so that a loader takes the changed ones."""
    pipelines = {key: value for key, value in options.items() if key.partition('.')[0] in ONLY_FOR_COMPOSING}
    replace(config, pipelines, path)
    for key in options:
        part, _, below = key.partition('.')
        if below.startswith('dataset.pipeline.'):
            _fill_loader_pipeline(config, part)
        elif part == 'custom_hooks' and '.pipeline.' in below:
            _fill_second_stage(config)
    replace(config, {key: value for key, value in options.items() if key not in pipelines}, path)


def _fill_pipelines(config: Config) -> None:
    for part in PIPELINES:
        if _lacks_pipeline(_dataset(config, part)):
            _fill_loader_pipeline(config, part)
    _fill_second_stage(config)


def _fill_loader_pipeline(config: Config, part: str) -> None:
    """Give a loader's data set the pipeline that the config defines for its phase."""
    dataset, pipeline = _dataset(config, part), config.get(PIPELINES.get(part, ''))
    if dataset is not None and 'pipeline' not in dataset and pipeline is not None:
        dataset['pipeline'] = copy.deepcopy(pipeline)


def _dataset(config: Config, part: str) -> dict | None:
    loader = config.get(part)
    dataset = loader.get('dataset') if isinstance(loader, dict) else None
    return dataset if isinstance(dataset, dict) else None


def _fill_second_stage(config: Config) -> None:
    """Give the hook SwitchPipeline, where it has none, the pipeline of the second stage."""
    hooks, pipeline = config.get('custom_hooks'), config.get(SECOND_STAGE)
    for hook in hooks if isinstance(hooks, list) and pipeline is not None else ():
        if isinstance(hook, dict) and hook.get('type') == 'SwitchPipeline':
            hook.setdefault('pipeline', copy.deepcopy(pipeline))


def _lacks_pipeline(dataset: dict | None) -> bool:
    """Whether a data set takes a pipeline, and neither it nor a member has one."""
    if dataset is None or _has_pipeline(dataset):
        return False
    kind = dataset.get('type')
    part = find(registries.DATASETS, kind) if isinstance(kind, str) else kind
    names = arguments(part) if part is not None else {}
    return not names or 'pipeline' in names


def _has_pipeline(value: Any) -> bool:
    if isinstance(value, dict):
        return 'pipeline' in value or any(map(_has_pipeline, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_pipeline, value))


def _fill_loader(loader: ConfigDict, training: bool) -> None:
    """Workers, collate and sampler: training gives all ranks equally many steps, a test counts no face twice."""
    loader.setdefault('num_workers', 2)
    loader.setdefault('persistent_workers', loader.num_workers > 0)
    loader.sampler = loader.get('sampler') or ConfigDict()
    if 'type' not in loader.sampler:
        loader.sampler = ConfigDict(type='FaceSampler', shuffle=training, round_up=training) | loader.sampler
    loader.setdefault('collate_fn', ConfigDict(type='facelmk.collate_faces'))


def _fill_size(config: Config) -> None:
    """Give the model the size of the crops that the validation pipeline makes."""
    model, loader = config.get('model'), config.get('val_dataloader') or {}
    pipeline = loader.get('dataset', {}).get('pipeline') or ()
    crops = [step for step in pipeline if isinstance(step, dict) and step.get('type') == 'CropFace']
    kind = model.get('type') if isinstance(model, dict) else None
    part = find(registries.MODELS, kind) if isinstance(kind, str) else kind if callable(kind) else None
    if crops and part is not None and 'size' in arguments(part):
        model.setdefault('size', crops[-1].get('size', 256))
