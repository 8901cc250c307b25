"""What --safe-config refuses before anything is built: see `registry.registered_parts_only`, which is the rule itself.

`evaluate` gives the data without running anything. Two kinds of values are left to refuse: names that mmengine would
import, such as `type='os.system'`, and dicts that mmengine and torch pass on to programs of others, such as
`backend_args=dict(sys_path=...)` or `compile=dict(options=...)`.
"""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from mmengine import Config
from mmengine.registry import Registry

from ..errors import FacelmkError, close_names, did_you_mean
from ..registry import SAFE_SCOPES
from ..registry import parts as registries
from .arguments import all_names, find, misfit
from .schema import CONTAINERS, dict_at, runner_keys
from .source import ConfigSource
from .texts import short

UNPICKLES = {'BaseDataset'}  # of mmengine, which runs the code in annotation files of the form .pkl
PART_KEYS = re.compile(r'type|constructor|\w+_(type|constructor|fn|policy|cls|class)')  # mmengine looks up their values
OTHERS = ('', 'mmengine', 'mmcv', 'torch')  # packages that pass dicts on
READ_HERE = {'result', 'markups'}  # keys that facelmk reads, not mmengine's Runner


def check_parts(config: Config, source: ConfigSource) -> None:
    """Refuse each part that no registry holds, each dict that leaves the config, and each import."""
    _Check(source).walk(config._cfg_dict, '', takes_dicts=True)


class _Check:
    """Walks through all values of a config."""

    def __init__(self, source: ConfigSource) -> None:
        self.source = source
        self.registries = [each for each in vars(registries).values() if isinstance(each, Registry)]
        self.runner_keys = runner_keys() - READ_HERE
        self.names = set().union(*map(all_names, self.registries)) - UNPICKLES

    def walk(self, value: Any, place: str, takes_dicts: bool) -> None:
        """Check a value and all below it; `takes_dicts` says whether facelmk reads the dicts there."""
        if isinstance(value, (list, tuple)):
            for i, child in enumerate(value):
                self.walk(child, f'{place}[{i}]', takes_dicts)
        if not isinstance(value, Mapping):
            return
        kinds = dict_at(place)
        if not (takes_dicts or kinds or 'type' in value or CONTAINERS.fullmatch(place)):
            self.refuse(place, value, 'is a dict that another package interprets. Leave it out.')
        for key, child in value.items():
            self.check_key(place, key, child)
        for key, child in value.items():
            if 'type' in value:
                below = self.declares(value['type'], key)
            elif place:
                below = takes_dicts or kinds is not None
            else:
                below = key not in self.runner_keys
            self.walk(child, f'{place}.{key}' if place else str(key), below)

    def check_key(self, place: str, key: Any, value: Any) -> None:
        below = f'{place}.{key}' if place else str(key)
        if key == 'custom_imports':
            self.refuse(below, value, 'imports code. Leave it out.')
        if key in ('_scope_', 'default_scope') and value not in SAFE_SCOPES:
            self.refuse(below, value, f'imports a package. Expected {" or ".join(SAFE_SCOPES)}.')
        kinds = dict_at(place) or {}
        if key in kinds and not misfit(value, kinds[key]):  # clip_grad.type is no part, but one of two words
            return
        looked_up = PART_KEYS.fullmatch(str(key)) and (key == 'type' or isinstance(value, str))
        if looked_up and not self.is_registered(value):
            name = str(value).rpartition('.')[2]
            hint = did_you_mean(name, self.names) if close_names(name, self.names) else ''
            self.refuse(
                below, value, f'is no registered part. Expected the name of one, without a module. {hint}'.rstrip()
            )

    def is_registered(self, kind: Any) -> bool:
        """Whether a registry of facelmk or mmengine holds a part of this name."""
        scope, _, name = kind.rpartition('.') if isinstance(kind, str) else ('', '', None)
        return scope in ('', *SAFE_SCOPES) and name in self.names

    def declares(self, kind: str, name: Any) -> bool:
        """Whether parts of this name declare the argument themselves, not mmengine or torch, and not by **options."""
        parts = [part for registry in self.registries if (part := find(registry, kind)) is not None]
        return all(_module_that_declares(part, name).partition('.')[0] not in OTHERS for part in parts)

    def refuse(self, place: str, value: Any, why: str) -> None:
        raise FacelmkError(
            f'{self.source}: {place}={short(value)} {why} If you trust the file, leave --safe-config out'
        )


def _module_that_declares(part: Any, name: Any) -> str:
    """The module of the class or function whose signature has an argument of this name; '' if none has."""
    for owner in inspect.getmro(part) if inspect.isclass(part) else (part,):
        function = vars(owner).get('__init__') if inspect.isclass(owner) else owner
        if inspect.isfunction(function) and name in inspect.signature(function).parameters:
            return str(owner.__module__)
    return ''
