"""Data sets: annotation files become faces, and transforms turn faces into the input of a network.

The parts are imported on first use: they need torch, and readers of pictures and boxes in this folder do not.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .parts import *  # noqa: F403, the list of parts is written once


def __getattr__(name: str) -> Any:
    """Return a part, or `SyntheticFaces`, which another room registers."""
    if name == 'SyntheticFaces':
        return importlib.import_module('..registry', __name__).DATASETS.get(name)
    parts = importlib.import_module('.parts', __name__)
    try:
        return getattr(parts, name)
    except AttributeError:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}') from None
