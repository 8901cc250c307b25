"""The part that a type names, and the arguments that it takes."""

import functools
import inspect
from collections.abc import Iterator
from typing import Any

from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.runner import Runner

from ..registry import Registry
from .schema import OTHER_TOP_KEYS
from .type_check import hints

CLOSED = (CheckpointHook.__init__, EMAHook.__init__)  # their **kwargs take a few names alone, which others declare


def find(registry: Registry, kind: str) -> Any:
    """The part of that type, in a registry of facelmk or in mmengine's above it; None if there is none."""
    try:
        return registry.get(kind)
    except (RuntimeError, TypeError):  # a module that cannot be imported; a name that is no text
        return None


def all_names(registry: Registry) -> set[str]:
    return set(registry) | set(registry.parent.module_dict if registry.parent is not None else ())


@functools.cache
def arguments(part: Any) -> dict[str, tuple[inspect.Parameter, Any]]:
    """The arguments of a class or function by name, those of its bases included, with their annotations.

    Empty for a part that takes any name.
    """
    names: dict[str, tuple[inspect.Parameter, Any]] = {}
    for function in _functions(part):
        parameters = inspect.signature(function).parameters
        kinds = hints(function)
        names = {
            name: (p, kinds.get(name))
            for name, p in parameters.items()
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and name != 'self'
        } | names
        if function in CLOSED or not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return names
    return {}


def _functions(part: Any) -> Iterator[Any]:
    """The functions that a call of a part reaches: its __init__ and, through **kwargs, those of its bases."""
    if not inspect.isclass(part):
        yield part
        return
    for base in part.__mro__[:-1]:
        if '__init__' in vars(base) and not getattr(base, '__module__', '').startswith('torch.nn.modules.module'):
            yield vars(base)['__init__']


def runner_keys() -> set[str]:
    """The keys of a config that a run reads."""
    return set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'} | OTHER_TOP_KEYS
