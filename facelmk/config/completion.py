"""Put the values of the command line into a config, and fill in what it leaves out: pipelines, samplers, ..."""

import copy
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine import Config, ConfigDict

from .. import registry as registries
from ..errors import FacelmkError, UnknownName, did_you_mean
from .arguments import arguments_of, loader_arguments, takes
from .crops import crop_size
from .schema import DEFAULT_TYPES, INNER_REGISTRIES, PIPELINES, TOP_REGISTRIES, dict_at, runner_keys
from .texts import short

PIPELINE_OF = {  # each loader and the top-level name of its pipeline
    'train_dataloader': 'train_pipeline',
    'val_dataloader': 'val_pipeline',
    'test_dataloader': 'val_pipeline',
}
ONLY_FOR_COMPOSING = (*PIPELINES, 'protocols')  # names that a complete config does not need


def put_options(config: Config, options: Mapping[str, Any], path: Path) -> None:
    """Replace values by dotted keys: first pipelines, which loaders copy; the test, which copies validation, last."""

    def order(dotted: str) -> int:
        return -1 if dotted.partition('.')[0] in ONLY_FOR_COMPOSING else int(dotted.startswith('test_'))

    for dotted in sorted(options, key=order):
        part, _, below = dotted.partition('.')
        if part.startswith('test_'):
            _fill_test(config)
        if below.startswith('dataset.pipeline.'):
            _fill_loader_pipeline(config, part)
        elif part == 'custom_hooks' and '.pipeline.' in below:
            _fill_second_stage(config)
        _replace(config, dotted, options[dotted], path)
    _fill_test(config)


def _fill_test(config: Config) -> None:
    """Copy the data set and metrics of validation where the config names none for the test."""
    for part in ('dataloader', 'evaluator'):
        if config.get(f'test_{part}') is None and config.get(f'val_{part}') is not None:
            config[f'test_{part}'] = copy.deepcopy(config[f'val_{part}'])


def _replace(config: Config, dotted: str, value: Any, path: Path) -> None:
    """Set one value. Its key must be in the config, or one that the Runner or the part there reads."""
    first = dotted.partition('.')[0]
    if first not in config and first not in runner_keys():
        raise UnknownName(
            f'--cfg-options {dotted}: neither {path} nor the Runner has {first!r}. '
            f'{did_you_mean(first, set(config) | runner_keys())}'
        )
    *parents, last = dotted.split('.')
    parent = _find_parent(config, parents, dotted)
    key = _index(last, parent, dotted)
    if isinstance(value, Mapping) and (isinstance(key, int) or isinstance(parent.get(key), Mapping)):
        config.merge_from_dict({dotted: value})
    else:
        parent[key] = ConfigDict(value) if isinstance(value, Mapping) else value


def _find_parent(config: Config, keys: list[str], dotted: str) -> Any:
    """The dict or list at the end of a path; dicts that are missing are made where a part takes them."""
    value: Any = config
    for i, key in enumerate(keys):
        place, index = '.'.join(keys[: i + 1]), _index(key, value, dotted)
        if not isinstance(value, list) and value.get(key) is None:
            known = _known_keys(value, keys[:i]) if i else {key}
            if key not in known:
                names = known | set(value)
                raise UnknownName(
                    f'--cfg-options {dotted}: {".".join(keys[:i])} has no {key!r}. {did_you_mean(key, names)}'
                )
            if dotted.split('.')[i + 1].isdigit():
                raise FacelmkError(
                    f'--cfg-options {dotted}: {place} is not in the config, so none of its elements can be changed. '
                    'Give all of it'
                )
            value[key] = ConfigDict()
        if isinstance(value[index], tuple):
            value[index] = list(value[index])
        value = value[index]
        if not isinstance(value, (dict, list)):
            raise FacelmkError(
                f'--cfg-options {dotted}: {place} is {short(value)}, which has nothing below it. Write {place}=VALUE'
            )
    return value


def _index(key: str, value: Any, dotted: str) -> str | int:
    """The key of a dict, or the position in a list."""
    if not isinstance(value, list):
        return key
    if not key.isdigit() or int(key) >= len(value):
        raise FacelmkError(f'--cfg-options {dotted}: {_list_advice(key, value, dotted)}')
    return int(key)


def _list_advice(key: str, value: list[Any], dotted: str) -> str:
    """Return what to write for an element of a list."""
    rule = f'{key!r} must be a number below {len(value)}, the length of the list'
    if key.isdigit() or not any(key in one for one in value if isinstance(one, dict)):
        return rule
    names = [str(one.get('type', i)) if isinstance(one, dict) else short(one) for i, one in enumerate(value)]
    i = next(i for i, one in enumerate(value) if isinstance(one, dict) and key in one)
    place, _, below = dotted.partition(f'.{key}')
    example = f'{place}.{i}.{key}{below}'
    elements = ', '.join(f'{n}: {name}' for n, name in enumerate(names))
    return f'{place} is a list ({elements}). Give the number of an element, such as {example}'


def _known_keys(value: ConfigDict, keys: list[str]) -> set[str]:
    """The keys that the part or dict at a path takes."""
    if keys[-1].endswith('_dataloader'):
        return set(loader_arguments())
    place, registry = '.'.join(keys), TOP_REGISTRIES.get(keys[0])
    for key in keys:
        registry = INNER_REGISTRIES.get(key, registry)
    kind = value.get('type', DEFAULT_TYPES.get(place))
    names = arguments_of({'type': kind}, registry) if registry is not None else ()
    return {*(dict_at(place) or ()), *names}


def complete(config: Config) -> None:
    """Fill in pipelines, crop size, samplers, collate, work folder, and TensorBoard where it is installed."""
    for part in PIPELINE_OF:
        if _lacks_pipeline(_dataset(config, part)):
            _fill_loader_pipeline(config, part)
    _fill_second_stage(config)
    for name in ONLY_FOR_COMPOSING:
        config.pop(name, None)
    for phase in ('train', 'val', 'test'):
        if config.get(f'{phase}_dataloader') is not None:
            _fill_loader(config[f'{phase}_dataloader'], training=phase == 'train')
    for phase in ('val', 'test'):
        if config.get(f'{phase}_dataloader') is not None and config.get(f'{phase}_cfg') is None:
            config[f'{phase}_cfg'] = ConfigDict()
    _fill_size(config)
    config.setdefault('work_dir', f'work_dirs/{Path(config.filename).stem}')
    config.default_scope = config.get('default_scope') or registries.SCOPE
    backends = (config.get('visualizer') or {}).get('vis_backends')
    if backends is not None and importlib.util.find_spec('tensorboard'):
        if not any(backend['type'] == 'TensorboardVisBackend' for backend in backends):
            backends.append(ConfigDict(type='TensorboardVisBackend'))


def _fill_loader_pipeline(config: Config, part: str) -> None:
    """Give a loader's data set the pipeline that the config defines for its phase."""
    dataset, pipeline = _dataset(config, part), config.get(PIPELINE_OF.get(part, ''))
    if dataset is not None and 'pipeline' not in dataset and pipeline is not None:
        dataset['pipeline'] = copy.deepcopy(pipeline)


def _dataset(config: Config, part: str) -> dict | None:
    loader = config.get(part)
    dataset = loader.get('dataset') if isinstance(loader, dict) else None
    return dataset if isinstance(dataset, dict) else None


def _fill_second_stage(config: Config) -> None:
    """Give the hook SwitchPipeline, where it has none, the pipeline of the second stage."""
    hooks, pipeline = config.get('custom_hooks'), config.get('train_pipeline_stage2')
    for hook in hooks if isinstance(hooks, list) and pipeline is not None else ():
        if isinstance(hook, dict) and hook.get('type') == 'SwitchPipeline':
            hook.setdefault('pipeline', copy.deepcopy(pipeline))


def _lacks_pipeline(dataset: dict | None) -> bool:
    """Whether a data set takes a pipeline, and neither it nor a member has one."""
    if dataset is None or _has_pipeline(dataset):
        return False
    return takes('pipeline', dataset, registries.DATASETS)


def _has_pipeline(value: Any) -> bool:
    if isinstance(value, dict):
        return 'pipeline' in value or any(map(_has_pipeline, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_pipeline, value))


def _fill_loader(loader: ConfigDict, training: bool) -> None:
    """Workers, collate and sampler: training gives all ranks equally many steps, a test counts no face twice."""
    loader.setdefault('num_workers', 2)
    loader.setdefault('persistent_workers', loader.num_workers != 0)  # a number, or 'auto'
    loader.sampler = loader.get('sampler') or ConfigDict()
    if 'type' not in loader.sampler:
        loader.sampler = ConfigDict(type='FaceSampler', shuffle=training, round_up=training) | loader.sampler
    loader.setdefault('collate_fn', ConfigDict(type='facelmk.collate_faces'))


def _fill_size(config: Config) -> None:
    """Give the model the size of the crops that the validation pipeline makes."""
    model, loader = config.get('model'), config.get('val_dataloader') or {}
    pipeline = loader.get('dataset', {}).get('pipeline') or ()
    size = crop_size(pipeline)
    if size is not None and 'size' in arguments_of(model, registries.MODELS):
        model.setdefault('size', size)
