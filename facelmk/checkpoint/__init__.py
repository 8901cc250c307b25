"""Checkpoints: read as data, translated from the key names of other projects, loaded, written.

What reads and writes them is imported on first use: it needs torch, and finding a checkpoint does not.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .find import PRETRAINED, Address, find_checkpoint, find_weights, locate_checkpoint

if TYPE_CHECKING:
    from .load import Mismatch, fit, load_checkpoint, load_content, load_pretrained
    from .objects import Stub
    from .read import FORMAT, FORMAT_KEY, finite, meta_of, read_checkpoint, read_content, weights_of
    from .write import add_weights, pack, plain, publish, save_checkpoint

_MODULES = {
    'load': ('Mismatch', 'fit', 'load_checkpoint', 'load_content', 'load_pretrained'),
    'objects': ('Stub',),
    'read': ('FORMAT', 'FORMAT_KEY', 'finite', 'meta_of', 'read_checkpoint', 'read_content', 'weights_of'),
    'write': ('add_weights', 'pack', 'plain', 'publish', 'save_checkpoint'),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
# fmt: off
__all__ = ['FORMAT', 'FORMAT_KEY', 'PRETRAINED', 'Address', 'Mismatch', 'Stub', 'add_weights', 'find_checkpoint',
           'find_weights', 'finite', 'fit', 'load_checkpoint', 'load_content', 'load_pretrained', 'locate_checkpoint',
           'meta_of', 'pack', 'plain', 'publish', 'read_checkpoint', 'read_content', 'save_checkpoint', 'weights_of']
# fmt: on


def __getattr__(name: str) -> Any:
    """Return one of the names above; the module of the safe readers, which mmengine then uses, is imported first."""
    if name not in _MODULE_OF:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    importlib.import_module('.load', __name__)
    return getattr(importlib.import_module(f'.{_MODULE_OF[name]}', __name__), name)
