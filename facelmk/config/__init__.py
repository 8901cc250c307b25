"""Configs: find, read, complete and validate them, before anything is built."""

from .complete import complete
from .folders import config_folder, package_folder
from .load import config_names, config_of_text, find_config, load_config, open_config

# fmt: off
__all__ = ['complete', 'config_folder', 'config_names', 'config_of_text', 'find_config', 'load_config', 'open_config',
           'package_folder']
# fmt: on
