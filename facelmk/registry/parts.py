"""The registries of parts; this module needs mmengine, and `facelmk.registry` imports it on first use.

BACKBONES, HEADS, LOSSES, CODECS, CALIBRATIONS and DETECTORS stand alone. The others are children of mmengine's root
registries, so that the Runner finds our parts, and configs can name mmengine's parts. A registry imports its parts on
first use.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from mmengine import registry as roots
from mmengine.registry import Registry as MMEngineRegistry
from mmengine.registry import registry as mmengine_registry
from mmengine.utils import get_object_from_string

from ..errors import FacelmkError, UnknownName, did_you_mean
from .plain import SCOPE
from .ranges import check_arguments, check_complete

SAFE_SCOPES = (SCOPE, 'mmengine')
_safe = False  # whether registries import nothing by its name


@contextmanager
def registered_parts_only(active: bool = True) -> Iterator[None]:
    """Within it, a part is what a registry of facelmk or mmengine holds, no matter which code builds it.

    This is the rule of --safe-config. All parts of a run pass through `Registry.get` and the two functions below, which
    are the only ones that import what a config names.
    """
    global _safe
    before, _safe = _safe, _safe or active
    try:
        yield
    finally:
        _safe = before


def _object_at(name: str) -> Any:
    """The object at a dotted name. mmengine would also import `name.py` of any folder for a part that is unknown."""
    return get_object_from_string(name) if '.' in name and not _safe else None


def _import_scope(name: str) -> ModuleType:
    """The module of another library's registries, which mmengine imports by the scope of a part."""
    if _safe and name.partition('.')[0] not in SAFE_SCOPES:
        raise ImportError(f'{name} is not imported with --safe-config')
    return importlib.import_module(name)


mmengine_registry.get_object_from_string = _object_at
mmengine_registry.import_module = _import_scope


class Registry(MMEngineRegistry):
    """An mmengine registry that imports its parts on first use and suggests the closest name for an unknown type."""

    @property
    def module_dict(self) -> dict[str, type]:
        """The registered classes and functions by name."""
        self.import_from_location()
        return self._module_dict

    def __len__(self) -> int:
        return len(self.module_dict)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.module_dict))

    def __repr__(self) -> str:
        return f'{self.name} ({len(self)}): ' + ', '.join(self)

    def build(self, cfg: dict, *args: Any, **kwargs: Any) -> Any:
        """Build the part named by `cfg['type']`; refuse values outside of its ranges."""
        if isinstance(cfg, dict) and 'type' not in cfg and 'type' not in (kwargs.get('default_args') or {}):
            raise FacelmkError(f'{cfg!r} names no {self.name}. Expected dict(type=NAME, ...). {did_you_mean("", self)}')
        kind = cfg.get('type') if isinstance(cfg, dict) else None
        if isinstance(kind, str) and not self.knows(kind):
            raise UnknownName(
                f'type={kind!r} is no registered {self.name}. {did_you_mean(kind, self)} '
                'To use a part of your own, name its module in `custom_imports` of the config.'
            )
        if kind is not None:
            part = self.get(kind) if isinstance(kind, str) else kind
            if not args:
                check_complete(part, cfg.keys() | kwargs.keys() | (kwargs.get('default_args') or {}).keys())
            check_arguments(part, cfg)
        return super().build(cfg, *args, **kwargs)

    @contextmanager
    def switch_scope_and_registry(self, scope: str | None) -> Iterator[MMEngineRegistry]:
        """Stay in this registry unless `scope` is given; ignore the default scope that another library has set."""
        if scope is None:
            yield self
        else:
            with super().switch_scope_and_registry(scope) as registry:
                yield registry

    def knows(self, kind: str) -> bool:
        """Whether this registry can build `kind`."""
        try:
            return self.get(kind) is not None
        except RuntimeError:  # mmengine raises it for a dotted name that cannot be imported
            return False


class StandaloneRegistry(Registry):
    """A registry without a parent. It finds parts of other OpenMMLab libraries (`mmpretrain.ResNet`) through MODELS."""

    def get(self, key: str) -> type | None:
        """The class registered as `key`, or None."""
        scope, name = self.split_scope_key(key)
        if scope in (None, SCOPE):
            return self.module_dict.get(name)
        return MODELS.get(key)

    @contextmanager
    def switch_scope_and_registry(self, scope: str | None) -> Iterator['StandaloneRegistry']:
        """Stay in this registry, whatever the scope is: it has no parent and no children."""
        yield self


def _child(root: str, *locations: str) -> Registry:
    parent = getattr(roots, root)
    return Registry(parent.name, parent=parent, scope=SCOPE, locations=list(locations))


def _standalone(name: str, *locations: str) -> StandaloneRegistry:
    return StandaloneRegistry(name, scope=SCOPE, locations=list(locations))


BACKBONES = _standalone('backbone', 'facelmk.models.backbones')
HEADS = _standalone('head', 'facelmk.models.heads')
LOSSES = _standalone('loss', 'facelmk.models.losses')
CODECS = _standalone('codec', 'facelmk.codecs')
CALIBRATIONS = _standalone('calibration', 'facelmk.models.calibration')
DETECTORS = _standalone('detector', 'facelmk.inference.detectors.register')
DIALECTS = _standalone('checkpoint dialect', 'facelmk.compat.checkpoint_keys')

MODELS = _child('MODELS', 'facelmk.models', 'facelmk.engine.ema')
DATASETS = _child('DATASETS', 'facelmk.datasets.parts', 'facelmk.synthetic', 'facelmk.compat.mmpose_datasets')
DATA_SAMPLERS = _child('DATA_SAMPLERS', 'facelmk.datasets.parts')
TRANSFORMS = _child('TRANSFORMS', 'facelmk.datasets.parts')
FUNCTIONS = _child('FUNCTIONS', 'facelmk.datasets.parts', 'facelmk.checkpoint.load', 'facelmk.compat.checkpoint_keys')
METRICS = _child('METRICS', 'facelmk.metrics')
HOOKS = _child('HOOKS', 'facelmk.engine.hooks', 'facelmk.engine.saving.checkpoint_hook', 'facelmk.engine.faults.guards')
LOOPS = _child('LOOPS', 'facelmk.engine.loops')
RUNNERS = _child('RUNNERS')
RUNNER_CONSTRUCTORS = _child('RUNNER_CONSTRUCTORS')
STRATEGIES = _child('STRATEGIES')
MODEL_WRAPPERS = _child('MODEL_WRAPPERS')
WEIGHT_INITIALIZERS = _child('WEIGHT_INITIALIZERS')
OPTIMIZERS = _child('OPTIMIZERS')
OPTIM_WRAPPERS = _child('OPTIM_WRAPPERS', 'facelmk.engine.mixed_precision')
OPTIM_WRAPPER_CONSTRUCTORS = _child('OPTIM_WRAPPER_CONSTRUCTORS')
PARAM_SCHEDULERS = _child('PARAM_SCHEDULERS')
EVALUATOR = _child('EVALUATOR')
TASK_UTILS = _child('TASK_UTILS')
VISUALIZERS = _child('VISUALIZERS')
VISBACKENDS = _child('VISBACKENDS', 'facelmk.engine.mlflow_backend')
LOG_PROCESSORS = _child('LOG_PROCESSORS')
INFERENCERS = _child('INFERENCERS')
