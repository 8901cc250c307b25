"""facelmk: facial landmarks, from images and annotations to an NME table."""

import importlib
from typing import TYPE_CHECKING, Any

from .errors import DataDefect, FacelmkError, MissingResource, TrainingFault, UnknownName, did_you_mean

if TYPE_CHECKING:  # type checkers know what `facelmk.load` returns
    from .inference import load
    from .zoo import list_models

__version__ = '0.7.0'
_ROOMS = {'load': '.inference', 'list_models': '.zoo'}  # functions that are imported on first use
# fmt: off
__all__ = ['DataDefect', 'FacelmkError', 'MissingResource', 'TrainingFault', 'UnknownName', '__version__',
           'did_you_mean', 'list_models', 'load']
# fmt: on


def __getattr__(name: str) -> Any:
    """Import `facelmk.load` on first use: it imports torch, and `import facelmk` must stay fast."""
    if name in _ROOMS:
        return getattr(importlib.import_module(_ROOMS[name], __name__), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
