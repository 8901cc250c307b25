"""Predict landmarks in any picture: `load` returns a Predictor, a Predictor returns Faces.

Both are imported on first use: they need torch, and `facelmk.inference.runtime` does not.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .predictor import Predictor, load


def __getattr__(name: str) -> Any:
    """Return `load` or `Predictor`."""
    if name in ('Predictor', 'load'):
        return getattr(importlib.import_module('.predictor', __name__), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
