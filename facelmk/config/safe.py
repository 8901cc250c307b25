"""The rule of --safe-config: a config is data, and each part that it names is registered, whatever its place.

`evaluate` gives the data without running anything. What is left to refuse are the names that mmengine would import when
the part is built, such as `type='os.system'`.
"""

import re
from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry

from .. import registry as registries
from ..errors import FacelmkError, did_you_mean
from .schema import dict_at
from .source import ConfigSource
from .type_check import misfit

SCOPES = ('facelmk', 'mmengine')
UNPICKLES = {'BaseDataset'}  # of mmengine, which runs the code in annotation files of the form .pkl
PART_KEYS = re.compile(r'type|constructor|\w+_(type|constructor|fn|policy|cls|class)')  # mmengine looks up their values


def check_parts(value: Any, source: ConfigSource, place: str = '') -> None:
    """Refuse each part below `value` that no registry holds, and each key that imports modules."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            _check_key(key, child, source, place)
            check_parts(child, source, f'{place}.{key}' if place else str(key))
    elif isinstance(value, (list, tuple, set)):
        for i, child in enumerate(value):
            check_parts(child, source, f'{place}[{i}]')


def _check_key(key: Any, value: Any, source: ConfigSource, place: str) -> None:
    where = f'{source}: {place}.{key}' if place else f'{source}: {key}'
    if key == 'custom_imports':
        raise FacelmkError(f'{where}={value!r} imports code, which --safe-config forbids. Leave one of the two out')
    if key in ('_scope_', 'default_scope') and value not in SCOPES:
        raise FacelmkError(f'{where}={value!r} imports a package. With --safe-config, expected {" or ".join(SCOPES)}')
    words = (dict_at(place) or {}).get(key)  # clip_grad.type is no part, but one of two words
    looked_up = PART_KEYS.fullmatch(str(key)) and (key == 'type' or isinstance(value, str))
    if looked_up and (words is None or misfit(value, words)) and not is_registered(value):
        raise FacelmkError(
            f'{where}={value!r} is not registered. --safe-config takes registered parts alone, '
            f'{" or ".join(SCOPES)} before the name allowed. {did_you_mean(str(value).rpartition(".")[2], _names())}'
        )


def is_registered(kind: Any) -> bool:
    """Whether a registry of facelmk or mmengine holds a part of this name."""
    scope, _, name = kind.rpartition('.') if isinstance(kind, str) else ('', '', None)
    return scope in ('', *SCOPES) and name in _names()


def _names() -> set[str]:
    names: set[str] = set()
    for registry in vars(registries).values():
        if isinstance(registry, Registry):
            names |= set(registry.module_dict) | set(registry.parent.module_dict if registry.parent else ())
    return names - UNPICKLES
