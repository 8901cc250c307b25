"""Configs: find, read, complete and validate them, before anything is built.

What reads a config is imported on first use: it needs mmengine, and finding a config does not.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .find import config_names, find_config
from .folders import config_folder, package_folder

if TYPE_CHECKING:
    from .completion import complete
    from .load import config_of_text, load_config, open_config

# fmt: off
__all__ = ['complete', 'config_folder', 'config_names', 'config_of_text', 'find_config', 'load_config', 'open_config',
           'package_folder']
# fmt: on


def __getattr__(name: str) -> Any:
    """Return one of the functions that read a config."""
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module('.load', __name__), name)
