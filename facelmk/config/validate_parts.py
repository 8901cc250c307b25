"""Validate the parts of a config: types that are registered, arguments that a part takes, values that fit."""

import inspect
from collections.abc import Iterator, Set
from typing import Any

from mmengine.hooks import EMAHook
from mmengine.model import BaseAveragedModel

from .. import registry as registries
from ..errors import FacelmkError, UnknownName, did_you_mean
from ..registry import Registry
from .arguments import all_names, arguments, find
from .foreign import config_formats
from .ranges import ranges_of
from .schema import DEFAULT_TYPES, INNER_REGISTRIES, NEEDS_TYPE, dict_at
from .source import Source, holder
from .type_check import expected, misfit

KEYS_OF_ANY_PART = frozenset({'type', '_scope_'})
READ_BY_RUNNER = {  # what the Runner takes out of a part before it builds it, by the name of the registry
    'hook': {'priority'},
    'parameter scheduler': {'convert_to_iter_based'},
    'optim_wrapper': {'constructor', 'paramwise_cfg'},
}


def value_mistakes(value: Any, place: str, registry: Registry | None, source: Source) -> Iterator[FacelmkError]:
    """The mistakes in all parts at and below `value`."""
    if isinstance(value, dict):
        if registry is not None and 'type' not in (dict_at(place) or ()):
            yield from _type_mistakes(value, place, registry, source)
        yield from _dict_mistakes(value, place, source)
        for key, child in value.items():
            yield from value_mistakes(child, f'{place}.{key}', INNER_REGISTRIES.get(key, registry), source)
    elif isinstance(value, (list, tuple)):
        if place == 'model.loss' and not value:
            yield FacelmkError(f'{holder(source, "loss")}: model.loss has no term. Expected one loss or more')
        for i, child in enumerate(value):
            yield from value_mistakes(child, f'{place}[{i}]', registry, source)


def argument_mistakes(
    values: dict, part: Any, place: str, source: Source, also: Set[str], skip: Set[str] = frozenset()
) -> Iterator[FacelmkError]:
    """Names that a part does not take, and values that do not fit; `also` are names that others read."""
    names, ranges = arguments(part), ranges_of(part)
    by_split = '.layouts[' in place  # a layout may give a value for each split
    for key, value in values.items():
        if names and key not in names and key not in also:
            known = set(names) | also - KEYS_OF_ANY_PART
            yield UnknownName(f'{holder(source, str(key))}: {place} takes no {key!r}. {did_you_mean(key, known)}')
        elif key in names and key not in skip and not by_split:
            words = expected(value, *names[key]) or (ranges[key].expected(value) if key in ranges else None)
            if words:
                yield _wrong_value(source, place, key, value, words)


def _type_mistakes(values: dict, place: str, registry: Registry, source: Source) -> Iterator[FacelmkError]:
    if isinstance(values.get('type', DEFAULT_TYPES.get(place)), str):
        yield from _part_mistakes(values, place, registry, source)
    elif NEEDS_TYPE.fullmatch(place) and not callable(values.get('type')):
        wrong = f'type={values["type"]!r}' if 'type' in values else f'no type, only {", ".join(values) or "nothing"}'
        yield FacelmkError(
            f'{holder(source, place.rpartition(".")[2])}: {place} has {wrong}. Expected the name of a '
            f'{registry.name} as type=..., such as {", ".join(sorted(all_names(registry))[:3])}'
        )


def _dict_mistakes(values: dict, place: str, source: Source) -> Iterator[FacelmkError]:
    """Keys and kinds of a dict that is no part."""
    known = dict_at(place)
    if known is None:
        return
    for key, value in values.items():
        if key not in known:
            yield UnknownName(f'{holder(source, key)}: {place} takes no {key!r}. {did_you_mean(key, known)}')
        elif words := misfit(value, known[key]):
            yield _wrong_value(source, place, key, value, words)


def _part_mistakes(part: dict, place: str, registry: Registry, source: Source) -> Iterator[FacelmkError]:
    name = str(part.get('type', DEFAULT_TYPES.get(place)))
    cls = find(registry, name)
    if cls is None:
        yield UnknownName(
            f'{holder(source, name)}: {place} has type {name!r}, which is no registered {registry.name}. '
            f'{_advice(name.rpartition(".")[2], registry)} For a part of your own, name its module in `custom_imports`.'
        )
        return
    also = KEYS_OF_ANY_PART | READ_BY_RUNNER.get(registry.name, set())
    if inspect.isclass(cls) and issubclass(cls, EMAHook):
        average_name = str(part.get('ema_type', arguments(EMAHook)['ema_type'][0].default))
        average = find(registries.MODELS, average_name)
        if average is None:
            yield UnknownName(
                f'{holder(source, average_name)}: {place} has ema_type {average_name!r}, which is no registered '
                f'average. {did_you_mean(average_name, _average_names())}'
            )
            return
        also |= arguments(average).keys() - {'model'}
    yield from argument_mistakes(part, cls, f'{place} ({name})', source, also)


def _average_names() -> list[str]:
    parts = {name: find(registries.MODELS, name) for name in all_names(registries.MODELS)}
    return [name for name, part in parts.items() if inspect.isclass(part) and issubclass(part, BaseAveragedModel)]


def _advice(name: str, registry: Registry) -> str:
    """The part of facelmk that does the same as a part of another project, or the names that are close."""
    replacements = (known.replacement(name) for known in config_formats())
    return next(filter(None, replacements), None) or did_you_mean(name, all_names(registry))


def _wrong_value(source: Source, place: str, key: str, value: Any, words: str) -> FacelmkError:
    return FacelmkError(f'{holder(source, str(key))}: {place} has {key}={short(value)}. Expected {words}')


def short(value: Any) -> str:
    """A value in one line."""
    text = repr(value)
    return text if len(text) < 80 else f'{text[:70]} ...'
