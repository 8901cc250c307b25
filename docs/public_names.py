"""The public names of facelmk: `__all__` of each public package, and the registered parts."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import facelmk

LAZY = {  # packages that import their names on first use: the modules that list these names
    'facelmk.registry': ('facelmk.registry', 'facelmk.registry.plain', 'facelmk.registry.parts'),
    'facelmk.datasets': ('facelmk.datasets.parts',),
    'facelmk.inference.detectors': ('facelmk.inference.detectors.register',),
}
NAMED = {  # packages without `__all__`, and public modules inside of a room
    'facelmk.inference': ('load', 'Predictor'),
    'facelmk.cli': ('main',),
    'facelmk.export.run': ('export_model', 'Exported'),
    'facelmk.serve.models': ('open_model',),
    'facelmk.export.graph': ('graph_of', 'Graph'),
}


@cache
def public_modules() -> dict[str, list[str]]:
    """All public modules (the rooms, their packages, and what `NAMED` adds) with their public names."""
    names = {'facelmk', *NAMED}
    for room in pkgutil.iter_modules(facelmk.__path__, 'facelmk.'):
        names.add(room.name)
        if room.ispkg:
            package = importlib.import_module(room.name)
            names |= {sub.name for sub in pkgutil.iter_modules(package.__path__, f'{room.name}.') if sub.ispkg}
    return {name: public for name in sorted(names) if (public := sorted(_public_names(name)))}


def _public_names(module: str) -> set[str]:
    if module in NAMED:
        return set(NAMED[module])
    package = importlib.import_module(module)
    if hasattr(package, '__all__'):
        return set(package.__all__) - {'__version__'}
    if module in LAZY:
        names = {name for part in LAZY[module] for name in _names_in(importlib.import_module(part), module)}
        return {name for name in names if hasattr(package, name)}
    return set() if hasattr(package, '__path__') else set(_names_in(package, module))


def _names_in(module: ModuleType, package: str) -> Iterator[str]:
    """The public classes and functions of `package` in a module, and the constants that the module assigns."""
    constants = _assigned(module)
    for name, value in vars(module).items():
        own = inspect.isclass(value) or inspect.isfunction(value)
        home = value.__module__ if own else package if name in constants else ''
        if not name.startswith('_') and f'{home}.'.startswith(f'{package}.'):
            yield name


def _assigned(module: ModuleType) -> set[str]:
    """The names in capitals that a module assigns at its top."""
    statements = ast.parse(Path(str(module.__file__)).read_text(encoding='utf-8')).body
    targets = [target for line in statements if isinstance(line, ast.Assign) for target in line.targets]
    names = {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return {name for name in names if name.isupper()}


@cache
def parts() -> dict[str, dict[str, Any]]:
    """For each registry, the parts that facelmk registers in it, by name."""
    from facelmk.registry import parts as registries

    found = {}
    for name, registry in vars(registries).items():
        if isinstance(registry, registries.Registry):
            own = {key: part for key, part in registry.module_dict.items() if part.__module__.startswith('facelmk.')}
            if own:
                found[name] = dict(sorted(own.items()))
    return found


@cache
def addresses() -> dict[str, Any]:
    """Each documented object by its dotted name: the shortest public one, or that of the module that defines it."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for module in sorted(public_modules(), key=lambda name: (name.count('.'), name)):
        for name in public_modules()[module]:
            value = getattr(importlib.import_module(module), name)
            if is_constant(value) or id(value) not in seen:
                found[f'{module}.{name}'] = value
                seen.add(id(value))
    for part in [part for registered in parts().values() for part in registered.values()]:
        if id(part) not in seen:
            found[f'{part.__module__}.{part.__qualname__}'] = part
            seen.add(id(part))
    return found


def address_of(value: Any) -> str:
    """The dotted name under which a class or function is documented."""
    return next(address for address, other in addresses().items() if other is value)


def is_constant(value: Any) -> bool:
    """Whether a value is neither a class nor a function."""
    return not (inspect.isclass(value) or inspect.isroutine(value))


def methods_of(kind: type) -> Iterator[str]:
    """The names of the public methods and properties that a class itself defines."""
    for name, value in vars(kind).items():
        function = getattr(value, '__func__', value)
        if not name.startswith('_') and (isinstance(value, property) or inspect.isfunction(function)):
            if getattr(function, '__name__', name) == name:  # no attribute that holds a lambda
                yield name
