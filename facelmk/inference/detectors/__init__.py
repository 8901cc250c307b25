"""Face detectors behind one call: detector(image) returns boxes (N, 4) and scores (N,). One file each.

`register` holds the names below; they are imported on first use, because the registry needs torch and `base` does not.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .register import *  # noqa: F403, the list of names is written once


def __getattr__(name: str) -> Any:
    """Return one of the names of `register`."""
    if name.startswith('__'):
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    try:
        return getattr(importlib.import_module('.register', __name__), name)
    except AttributeError:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}') from None
