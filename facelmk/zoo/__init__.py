"""The models with weights: `list_models` names them, `find_model` describes one, `index.json` holds what is known.

`find_model` is imported on first use: a download needs ssl, and a look-up of a name does not.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .index import DEFAULT, FACES, LANDMARKS, is_model, list_models

if TYPE_CHECKING:
    from .model import ZooModel, find_model

__all__ = ['DEFAULT', 'FACES', 'LANDMARKS', 'ZooModel', 'find_model', 'is_model', 'list_models']


def __getattr__(name: str) -> Any:
    """Return `find_model` or `ZooModel`."""
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module('.model', __name__), name)
