"""The registries without mmengine: a command answers for a misspelt config or checkpoint before it imports that."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

SCOPE = 'facelmk'
Kind = TypeVar('Kind', bound=type)


class PlainRegistry:
    """Classes by their names; the modules that register them are imported on first use."""

    def __init__(self, name: str, *locations: str) -> None:
        self.name, self.locations = name, locations
        self._classes: dict[str, type] = {}

    @property
    def module_dict(self) -> dict[str, type]:
        """The registered classes by name."""
        for location in self.locations:
            importlib.import_module(location)
        return self._classes

    def __len__(self) -> int:
        return len(self.module_dict)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.module_dict))

    def register_module(self) -> Callable[[Kind], Kind]:
        """Return the decorator that registers a class under its name."""

        def register(kind: Kind) -> Kind:
            self._classes[kind.__name__] = kind
            return kind

        return register

    def build_all(self) -> list[Any]:
        """Return one object of each class."""
        return [self.module_dict[name]() for name in self]


CONFIG_FORMATS = PlainRegistry(
    'config format', 'facelmk.compat.aliases', 'facelmk.compat.hrnet_format', 'facelmk.compat.mmpose_config.format'
)
NAMED_WEIGHTS = PlainRegistry('look-up of weights', 'facelmk.zoo.published')
