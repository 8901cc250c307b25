"""The registries, one for each kind of part.

BACKBONES, HEADS, LOSSES, CODECS, CALIBRATIONS and DETECTORS stand alone. The others are children of mmengine's root
registries, so that the Runner finds our parts, and configs can name mmengine's parts. A registry imports its parts on
first use. mmengine is imported with the first registry that needs it; CONFIG_FORMATS and NAMED_WEIGHTS do not.
"""

import importlib
from typing import TYPE_CHECKING, Any

# `as`: without it, mypy --strict takes a name for private to this module
from .plain import CONFIG_FORMATS as CONFIG_FORMATS
from .plain import NAMED_WEIGHTS as NAMED_WEIGHTS
from .plain import SCOPE as SCOPE
from .ranges import Range as Range
from .ranges import Ranges as Ranges

if TYPE_CHECKING:
    from .parts import *  # noqa: F403, the registries are written once


def __getattr__(name: str) -> Any:
    """Return a registry, or another name of `parts`."""
    if name.startswith('__'):
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    try:
        return getattr(importlib.import_module('.parts', __name__), name)
    except AttributeError:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}') from None
