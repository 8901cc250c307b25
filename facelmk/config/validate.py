"""Validate keys, types and values of a config, before anything is built."""

import difflib
from collections.abc import Iterator
from typing import Any

from mmengine import Config
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from .. import registry as registries
from ..errors import FacelmkError, UnknownName, did_you_mean
from ..markups import MARKUPS
from ..registry import Registry
from .arguments import arguments, find, runner_keys
from .schema import HOOK_NAMES, PIPELINES, RENAMED_KEYS, TOP_REGISTRIES
from .source import Source, holder
from .type_check import expected, misfit
from .validate_parts import argument_mistakes, short, value_mistakes

ESSENTIAL = ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader')
PARTS_OF_LOADER = frozenset({'sampler', 'batch_sampler', 'collate_fn', 'worker_init_fn', 'dataset'})


def check(config: Config, source: Source) -> None:
    """Raise the first mistake of a config."""
    for mistake in mistakes(config, source):
        raise mistake


def mistakes(config: Config, source: Source) -> Iterator[FacelmkError]:
    """All mistakes of a config: misspelt keys and types, values that do not fit, two landmark schemes."""
    known = runner_keys()
    if not any(key in known or _is_close(key, known) for key in config):
        yield FacelmkError(
            f'{source} has no key that a run needs. Expected {", ".join(ESSENTIAL)}. '
            'facelmk config show quickstart prints a complete config'
        )
    yield from _key_mistakes(config, known, source)
    yield from _runner_mistakes(config, source)
    for key in filter(known.__contains__, config):  # in the file's order: what was copied into the test comes last
        if not key.startswith('test_') or config[key] != config.get(f'val_{key[5:]}'):
            yield from value_mistakes(config[key], key, TOP_REGISTRIES.get(key), source)
    yield from _hook_mistakes(config.get('default_hooks'), source)
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader')
        if isinstance(loader, dict):
            also = {'dataset', 'num_batch_per_epoch'}
            yield from argument_mistakes(loader, DataLoader, f'{phase}_dataloader', source, also, PARTS_OF_LOADER)
    loop = config.get('train_cfg')
    if isinstance(loop, dict) and 'type' not in loop:
        yield from argument_mistakes(loop, EpochBasedTrainLoop, 'train_cfg', source, {'by_epoch', 'max_iters'})
    yield from _scheme_mistakes(config, source)


def _key_mistakes(config: Config, known: set[str], source: Source) -> Iterator[FacelmkError]:
    """Keys of the config itself that nothing reads; a project may have other keys, which resemble none."""
    for key in config:
        if key in RENAMED_KEYS:
            yield UnknownName(f'{source}: nothing reads the key {key!r}. Write {RENAMED_KEYS[key]} instead')
        elif key not in known and not key.startswith('_') and _is_close(key, known):
            yield UnknownName(f'{source}: nothing reads the key {key!r}. {did_you_mean(key, known)}')


def _runner_mistakes(config: Config, source: Source) -> Iterator[FacelmkError]:
    """Keys of the config itself whose values do not fit the Runner's annotations."""
    for key, (parameter, hint) in arguments(Runner).items():
        if key in config and config[key] is not None and key not in ('model', 'log_level'):
            if words := expected(config[key], parameter, hint):
                yield FacelmkError(f'{holder(source, key)}: {key}={short(config[key])}. Expected {words}')
    for key in PIPELINES:
        if key in config and (words := misfit(config[key], list[dict])):
            yield FacelmkError(f'{holder(source, key)}: {key}={short(config[key])}. Expected {words}')
    if 'model' in config and not isinstance(config.model, dict):
        yield FacelmkError(f'{holder(source, "model")}: model={short(config.model)}. Expected a dict with a type')


def _hook_mistakes(hooks: Any, source: Source) -> Iterator[FacelmkError]:
    """Names of default hooks that are misspelt, so that two hooks would run."""
    for name in hooks if isinstance(hooks, dict) else ():
        if name not in HOOK_NAMES and _is_close(name, set(HOOK_NAMES)):
            yield UnknownName(
                f'{holder(source, name)}: default_hooks.{name} replaces no default hook; both would run. '
                f'{did_you_mean(name, HOOK_NAMES)}'
            )


def _scheme_mistakes(config: Config, source: Source) -> Iterator[FacelmkError]:
    """Data sets whose landmark scheme is not the model's."""
    model = markup_of(config.get('model'), registries.MODELS)
    for phase in ('train', 'val', 'test'):
        data = markup_of((config.get(f'{phase}_dataloader') or {}).get('dataset'), registries.DATASETS)
        if model and data and not MARKUPS[model].same_points(MARKUPS[data]):
            counts = [f'{name!r} ({MARKUPS[name].size} points)' for name in (model, data)]
            yield FacelmkError(
                f'{source}: the model has the landmark scheme {counts[0]}, {phase}_dataloader.dataset has {counts[1]}. '
                'Set both arguments `markup` to the same scheme, or convert the faces by JoinedFaces'
            )


def markup_of(part: Any, registry: Registry) -> str | None:
    """The landmark scheme of a part, which may be its default; None where it has none, or another part decides."""
    if not isinstance(part, dict) or not isinstance(part.get('type'), str):
        return None
    cls = find(registry, part['type'])
    names = {} if cls is None else arguments(cls)
    if 'markup' not in names:
        return None
    name = part.get('markup', names['markup'][0].default)
    return name if isinstance(name, str) and name in MARKUPS else None


def _is_close(key: str, known: set[str]) -> bool:
    """Whether `key` is a misspelling; names of a project such as data_root or train_pipeline are not."""
    return bool(difflib.get_close_matches(key, known, cutoff=0.78))
