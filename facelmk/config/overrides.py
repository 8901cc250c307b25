"""Values that the command line puts into a config, as `--cfg-options optim_wrapper.clip_grad.max_norm=1`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine import Config, ConfigDict
from torch.utils.data import DataLoader

from ..errors import FacelmkError, UnknownName, did_you_mean
from .arguments import arguments, find, runner_keys
from .schema import DEFAULT_TYPES, INNER_REGISTRIES, TOP_REGISTRIES, dict_at
from .validate_parts import short


def replace(config: Config, options: Mapping[str, Any], path: Path) -> None:
    """Set values by dotted keys. A key must be in the config, or one that the Runner or the part there reads."""
    for dotted, value in options.items():
        first = dotted.partition('.')[0]
        if first not in config and first not in runner_keys():
            raise UnknownName(
                f'--cfg-options {dotted}: neither {path} nor the Runner has {first!r}. '
                f'{did_you_mean(first, set(config) | runner_keys())}'
            )
        if isinstance(value, Mapping):
            config.merge_from_dict({dotted: value})
            continue
        *parents, last = dotted.split('.')
        parent = _find_parent(config, parents, dotted)
        parent[_index(last, parent, dotted) if isinstance(parent, list) else last] = value


def _find_parent(config: Config, keys: list[str], dotted: str) -> Any:
    """The dict or list at the end of a path; dicts that are missing are made where a part takes them."""
    value: Any = config
    for i, key in enumerate(keys):
        place = '.'.join(keys[: i + 1])
        index = _index(key, value, dotted) if isinstance(value, list) else key
        if not isinstance(value, list) and value.get(key) is None:
            _check_known(config, keys[:i], key, dotted)
            if (*keys, dotted.rpartition('.')[2])[i + 1].isdigit():
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


def _index(key: str, value: list, dotted: str) -> int:
    if not key.isdigit() or int(key) >= len(value):
        raise FacelmkError(
            f'--cfg-options {dotted}: {key!r} must be a number below {len(value)}, the length of the list'
        )
    return int(key)


def _check_known(config: Config, parents: list[str], key: str, dotted: str) -> None:
    """Refuse a key that is unknown to the part at a path."""
    known = _known_keys(config, parents) if parents else {key}
    if key not in known:
        place, value = '.'.join(parents), _value_at(config, parents)
        raise UnknownName(f'--cfg-options {dotted}: {place} has no {key!r}. {did_you_mean(key, known | set(value))}')


def _value_at(config: Config, keys: list[str]) -> Any:
    value: Any = config
    for key in keys:
        value = value[int(key) if isinstance(value, list) else key]
    return value


def _known_keys(config: Config, keys: list[str]) -> set[str]:
    """The keys that the part or dict at a path takes."""
    if keys[-1].endswith('_dataloader'):
        return {*arguments(DataLoader), 'num_batch_per_epoch'}
    place, registry = '.'.join(keys), TOP_REGISTRIES.get(keys[0])
    for key in keys:
        registry = INNER_REGISTRIES.get(key, registry)
    kind = _value_at(config, keys).get('type', DEFAULT_TYPES.get(place))
    part = find(registry, kind) if registry is not None and isinstance(kind, str) else None
    return set(dict_at(place) or ()) | (set(arguments(part)) if part is not None else set())
