"""Validate keys, types and values of a config, before anything is built."""

import difflib
import inspect
from collections.abc import Iterator, Set
from typing import Annotated, Any

from mmengine import Config
from mmengine.hooks import EMAHook
from mmengine.model import BaseAveragedModel
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Priority, Runner

from .. import registry as registries
from ..errors import FacelmkError, UnknownName, did_you_mean
from ..registry import Registry
from ..registry.ranges import Range
from .arguments import SIMPLE, Argument, all_names, arguments, find, loader_arguments, misfit, takes_any_name
from .foreign import config_formats
from .schema import (
    DEFAULT_TYPES,
    HOOK_NAMES,
    NEEDS_TYPE,
    PIPELINES,
    RENAMED_KEYS,
    TOP_KINDS,
    TOP_REGISTRIES,
    dict_at,
    needed_at,
    runner_keys,
    walk,
)
from .source import Source, holder
from .texts import short

ESSENTIAL = ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader')
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
PARTS_OF_LOADER = frozenset({'sampler', 'batch_sampler', 'collate_fn', 'worker_init_fn', 'dataset'})
OPTIONAL = ('default_hooks.',)  # None leaves a default hook out
KEYS_OF_ANY_PART = frozenset({'type', '_scope_'})
GIVEN = {  # required arguments that others pass, by the name of the registry
    **{kind: frozenset[str]() for kind in ('metric', 'transform')},
    'hook': {'pipeline'},  # `complete` fills in that of the second stage
    'parameter scheduler': {'optimizer', 'param_name'},
    'optimizer': {'params'},
    'loop': {'runner', 'dataloader', 'evaluator'},
}
PRIORITIES = (*Priority.__members__, *map(str.lower, Priority.__members__))
READ_BY_RUNNER: dict[
    str, dict[str, Any]
] = {  # what the Runner takes out of a part before it builds it, by the name of the registry
    'hook': {'priority': Annotated[int | str, Range(0, 100, also=PRIORITIES)]},
    'parameter scheduler': {'convert_to_iter_based': bool},
    'optim_wrapper': {'constructor': str, 'paramwise_cfg': dict | None},
}


def check(config: Config, source: Source) -> None:
    """Raise the first mistake of a config."""
    for mistake in mistakes(config, source):
        raise mistake


def mistakes(config: Config, source: Source) -> Iterator[FacelmkError]:
    """All mistakes of single keys and values: misspelt keys and types, values that do not fit or are out of range."""
    known = runner_keys()
    yield from _key_mistakes(config, known, source)
    kinds = {key: hint for key, (hint, _) in arguments(Runner).items() if config.get(key) is not None}
    kinds |= dict.fromkeys(PIPELINES, list[dict]) | TOP_KINDS
    kinds |= {key: dict for key in LOADERS if config.get(key) is not None}
    for key in filter(config.__contains__, kinds):
        if words := misfit(config[key], kinds[key]):
            yield _wrong_value(source, '', key, config[key], 'a dict with a type' if key == 'model' else words)
    for key in filter(known.__contains__, config):  # in the file's order: what was copied into the test comes last
        if not key.startswith('test_') or config[key] != config.get(f'val_{key[5:]}'):
            yield from _value_mistakes(config, key, source)
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader')
        if isinstance(loader, dict):
            yield from _argument_mistakes(loader, loader_arguments(), f'{phase}_dataloader', source, PARTS_OF_LOADER)
    loop = config.get('train_cfg')
    if isinstance(loop, dict) and 'type' not in loop:
        names = arguments(IterBasedTrainLoop if loop.get('by_epoch') is False else EpochBasedTrainLoop)
        names = names | {'by_epoch': Argument(bool, True)}
        yield from _argument_mistakes(loop, names, 'train_cfg', source, frozenset())
        yield from _missing_arguments(loop, names, 'train_cfg', 'loop', source)


def _key_mistakes(config: Config, known: set[str], source: Source) -> Iterator[FacelmkError]:
    """Keys of the config itself that nothing reads; a project may have other keys, which resemble none."""
    if not any(key in known or _is_close(key, known) for key in config):
        yield FacelmkError(
            f'{source} has no key that a run needs. Expected {", ".join(ESSENTIAL)}. '
            'facelmk config show quickstart prints a complete config'
        )
    for key in config:
        if key in RENAMED_KEYS:
            yield UnknownName(f'{source}: nothing reads the key {key!r}. Write {RENAMED_KEYS[key]} instead')
        elif key not in known and not key.startswith('_') and _is_close(key, known):
            yield UnknownName(f'{source}: nothing reads the key {key!r}. {did_you_mean(key, known)}')
    hooks = config.get('default_hooks')
    for name in hooks if isinstance(hooks, dict) else ():
        if name not in HOOK_NAMES and _is_close(str(name), set(HOOK_NAMES)):
            yield UnknownName(
                f'{holder(source, name)}: default_hooks.{name} replaces no default hook; both would run. '
                f'{did_you_mean(name, HOOK_NAMES)}'
            )


def _is_close(key: str, known: set[str]) -> bool:
    """Whether `key` is a misspelling. A project's own names, such as data_root or test_pipeline, are not."""
    return not key.endswith('pipeline') and bool(difflib.get_close_matches(key, known, cutoff=0.78))


def _value_mistakes(config: Config, key: str, source: Source) -> Iterator[FacelmkError]:
    """The mistakes in all parts and dicts at and below a key of the config."""
    for value, place, registry in walk(config[key], key, TOP_REGISTRIES.get(key)):
        if isinstance(value, dict):
            if registry is not None and 'type' not in (dict_at(place) or {}):
                yield from _part_mistakes(value, place, registry, source)
            yield from _dict_mistakes(value, place, source)
        elif place == 'model.loss' and not value:
            yield FacelmkError(f'{holder(source, "loss")}: model.loss has no term. Expected one loss or more')
        elif NEEDS_TYPE.fullmatch(place) and place != 'model.loss':
            yield _no_part(source, place, value)
        yield from _missing_parts(value, place, source)


def _dict_mistakes(values: dict, place: str, source: Source) -> Iterator[FacelmkError]:
    """The mistakes of a dict that is no part: unknown and missing keys, and values that do not fit."""
    kinds = dict_at(place) or {}
    for name, child in values.items() if kinds else ():
        if name not in kinds:
            yield _unknown_key(source, place, name, kinds)
        elif words := misfit(child, kinds[name]):
            yield _wrong_value(source, place, name, child, words)
    for name in needed_at(place):
        if name not in values:
            yield FacelmkError(f'{source}: {place} has no {name}, which it needs. Add {name}=...')


def _missing_parts(values: dict | list | tuple, place: str, source: Source) -> Iterator[FacelmkError]:
    """Numbers, text and None where a part must stand."""
    if isinstance(values, dict):
        children = [(f'{place}.{name}', child) for name, child in values.items()]
    else:
        children = [(f'{place}[{i}]', child) for i, child in enumerate(values)]
    for inner, child in children:
        empty = child is None and inner.startswith(OPTIONAL)
        if isinstance(child, SIMPLE) and not empty and NEEDS_TYPE.fullmatch(inner):
            yield _no_part(source, inner, child)


def _no_part(source: Source, place: str, value: Any) -> FacelmkError:
    key = place.rpartition('.')[2].partition('[')[0]
    return FacelmkError(f'{holder(source, key, place)}: {place}={short(value)}. Expected a dict with a type')


def _part_mistakes(part: dict, place: str, registry: Registry, source: Source) -> Iterator[FacelmkError]:
    """The mistakes of one part: its type and its arguments."""
    name = part.get('type', DEFAULT_TYPES.get(place))
    if not isinstance(name, str) and not callable(name):
        if NEEDS_TYPE.fullmatch(place):
            wrong = f'type={name!r}' if 'type' in part else f'no type, only {", ".join(part) or "nothing"}'
            file = holder(source, place.rpartition('.')[2], f'{place}.type')
            yield FacelmkError(
                f'{file}: {place} has {wrong}. Expected the name of a {registry.name} as type=..., such as '
                f'{", ".join(sorted(all_names(registry))[:3])}'
            )
        return
    cls = find(registry, name) if isinstance(name, str) else name
    if cls is None:
        file = holder(source, name, f'{place}.type')
        yield UnknownName(
            f'{file}: {place} has type {name!r}, which is no registered {registry.name}. '
            f'{_advice(name.rpartition(".")[2], registry)} For a part of your own, name its module in `custom_imports`.'
        )
        return
    names = arguments(cls)
    if inspect.isclass(cls) and issubclass(cls, EMAHook):
        kind = str(part.get('ema_type', arguments(EMAHook)['ema_type'].default))
        average = find(registries.MODELS, kind)
        if average is None:
            file = holder(source, kind, f'{place}.ema_type')
            yield UnknownName(
                f'{file}: {place} has ema_type {kind!r}, which is no registered average. '
                f'{did_you_mean(kind, _average_names())}'
            )
            return
        names = arguments(average) | names
        names.pop('model')
    names = names | {key: Argument(hint, None) for key, hint in READ_BY_RUNNER.get(registry.name, {}).items()}
    also = KEYS_OF_ANY_PART
    place = f'{place} ({getattr(cls, "__name__", cls)})'
    yield from _argument_mistakes(part, names, place, source, also, takes_any_name(cls))
    if registry.name in GIVEN:
        yield from _missing_arguments(part, names, place, registry.name, source)


def _average_names() -> list[str]:
    parts = {name: find(registries.MODELS, name) for name in all_names(registries.MODELS)}
    return [name for name, part in parts.items() if inspect.isclass(part) and issubclass(part, BaseAveragedModel)]


def _advice(name: str, registry: Registry) -> str:
    """The part of facelmk that does the same as a part of another project, or the names that are close."""
    replacements = (known.replacement(name) for known in config_formats())
    return next(filter(None, replacements), None) or did_you_mean(name, all_names(registry))


def _argument_mistakes(
    values: dict, names: dict[str, Argument], place: str, source: Source, also: Set[str], any_name: bool = False
) -> Iterator[FacelmkError]:
    """Names that a part does not take, and values that do not fit; `also` are names that others read."""
    by_split = '.layouts[' in place  # a layout may give a value for each split
    for key, value in values.items():
        if key not in names and key not in also and not any_name:
            yield _unknown_key(source, place, key, set(names) | also - KEYS_OF_ANY_PART)
        elif key in names and key not in also and not by_split and (words := misfit(value, names[key].hint)):
            yield _wrong_value(source, place, key, value, words)


def _missing_arguments(
    values: dict, names: dict[str, Argument], place: str, kind: str, source: Source
) -> Iterator[FacelmkError]:
    for key, argument in names.items():
        if argument.default is inspect.Parameter.empty and key not in values and key not in GIVEN[kind]:
            yield FacelmkError(f'{source}: {place} has no {key}, which it needs. Add {key}=...')


def _unknown_key(source: Source, place: str, key: Any, known: Any) -> FacelmkError:
    replacements = (known_format.key_replacement(str(key)) for known_format in config_formats())
    advice = next(filter(None, replacements), None) or did_you_mean(key, known)
    return UnknownName(f'{holder(source, key, f"{place}.{key}")}: {place} takes no {key!r}. {advice}')


def _wrong_value(source: Source, place: str, key: str, value: Any, words: str) -> FacelmkError:
    where = f'{place} has ' if place else ''
    file = holder(source, key, f'{place}.{key}' if place else key)
    return FacelmkError(f'{file}: {where}{key}={short(value)}. Expected {words}')
