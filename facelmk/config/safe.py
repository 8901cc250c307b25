"""The rule of --safe-config: a config is data, and each part that it names is registered, whatever its place.

`evaluate` gives the data without running anything. What is left to refuse are the names that mmengine would import when
the part is built, such as `type='os.system'`.
"""

import re
from collections.abc import Mapping
from typing import Any, get_args

from mmengine import Config
from mmengine.registry import Registry

from .. import registry as registries
from ..errors import FacelmkError, did_you_mean
from .arguments import all_names
from .schema import dict_at
from .source import ConfigSource

SCOPES = ('facelmk', 'mmengine')
UNPICKLES = {'BaseDataset'}  # of mmengine, which runs the code in annotation files of the form .pkl
PART_KEYS = re.compile(r'type|constructor|\w+_(type|constructor|fn|policy|cls|class)')  # mmengine looks up their values


def check_parts(config: Config, options: Mapping[str, Any], source: ConfigSource) -> None:
    """Refuse each part that no registry holds, and each key that imports modules, before anything is looked up."""
    _check(config._cfg_dict, source)
    for dotted, value in options.items():
        for key in reversed(dotted.split('.')):
            value = {key: value}
        _check(value, source)


def _check(value: Any, source: ConfigSource, place: str = '') -> None:
    if isinstance(value, Mapping):
        for key, child in value.items():
            _check_key(key, child, source, place)
            _check(child, source, f'{place}.{key}' if place else str(key))
    elif isinstance(value, (list, tuple, set)):
        for i, child in enumerate(value):
            _check(child, source, f'{place}[{i}]')


def _check_key(key: Any, value: Any, source: ConfigSource, place: str) -> None:
    where = f'{source}: {place}.{key}={value!r}' if place else f'{source}: {key}={value!r}'
    if key == 'custom_imports':
        raise FacelmkError(f'{where} imports code, which --safe-config forbids. Leave one of the two out')
    if key in ('_scope_', 'default_scope') and value not in SCOPES:
        raise FacelmkError(f'{where} imports a package. With --safe-config, expected {" or ".join(SCOPES)}')
    words = get_args((dict_at(place) or {}).get(key))  # clip_grad.type is no part, but one of two words
    looked_up = PART_KEYS.fullmatch(str(key)) and (key == 'type' or isinstance(value, str))
    if looked_up and value not in words and not _is_registered(value):
        raise FacelmkError(
            f'{where} is not registered. --safe-config takes registered parts alone, {" or ".join(SCOPES)} before the '
            f'name allowed. {did_you_mean(str(value).rpartition(".")[2], _names())}'
        )


def _is_registered(kind: Any) -> bool:
    """Whether a registry of facelmk or mmengine holds a part of this name."""
    scope, _, name = kind.rpartition('.') if isinstance(kind, str) else ('', '', None)
    return scope in ('', *SCOPES) and name in _names()


def _names() -> set[str]:
    registers = (registry for registry in vars(registries).values() if isinstance(registry, Registry))
    return set().union(*map(all_names, registers)) - UNPICKLES
