"""Values that the command line puts into a config, as `--cfg-options optim_wrapper.clip_grad.max_norm=1`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine import Config, ConfigDict
from torch.utils.data import DataLoader

from ..errors import FacelmkError, UnknownName, did_you_mean
from .schema import TYPES, plain_at
from .validate import BELOW, TOP, arguments, find, runner_keys, short


def replace(config: Config, options: Mapping[str, Any], path: Path) -> None:
    """Put values in the place of a config's own; a key must be one that it, the Runner or the part there knows."""
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
        *above, last = dotted.split('.')
        holder = _follow(config, above, dotted)
        holder[_index(last, holder, dotted) if isinstance(holder, list) else last] = value


def _follow(config: Config, keys: list[str], dotted: str) -> Any:
    """The dict or list at the end of a path; dicts that a part takes and the config does not have are made."""
    value: Any = config
    for i, key in enumerate(keys):
        place = '.'.join(keys[:i])
        index = _index(key, value, dotted) if isinstance(value, list) else key
        if not isinstance(value, list) and value.get(key) is None:
            known = _known(config, keys[:i])
            if i and key not in known:
                raise UnknownName(
                    f'--cfg-options {dotted}: {place} has no {key!r}. {did_you_mean(key, known | set(value))}'
                )
            if (*keys, dotted.rpartition('.')[2])[i + 1].isdigit():
                raise FacelmkError(
                    f'--cfg-options {dotted}: {path_of(place, key)} is not in the config, so no element '
                    'of it can be changed. Give all of it'
                )
            value[key] = ConfigDict()
        if isinstance(value[index], tuple):
            value[index] = list(value[index])
        value = value[index]
        if not isinstance(value, (dict, list)):
            raise FacelmkError(
                f'--cfg-options {dotted}: {path_of(place, key)} is {short(value)}, which has nothing '
                f'below it. Write {path_of(place, key)}=VALUE'
            )
    return value


def path_of(place: str, key: str) -> str:
    return f'{place}.{key}' if place else key


def _index(key: str, value: list, dotted: str) -> int:
    if not key.isdigit() or int(key) >= len(value):
        raise FacelmkError(
            f'--cfg-options {dotted}: {key!r} must be a number below {len(value)}, the length of the list'
        )
    return int(key)


def _known(config: Config, keys: list[str]) -> set[str]:
    """The keys that are known to what stands at a path."""
    place, registry = '.'.join(keys), TOP.get(keys[0]) if keys else None
    value: Any = config
    for key in keys:
        value, registry = value[int(key) if isinstance(value, list) else key], BELOW.get(key, registry)
    if keys[-1:] and keys[-1].endswith('_dataloader'):
        return {*arguments(DataLoader), 'num_batch_per_epoch'}
    kind = value.get('type', TYPES.get(place))
    part = find(registry, kind) if registry is not None and isinstance(kind, str) else None
    return set(plain_at(place) or ()) | (set(arguments(part)) if part is not None else set())
