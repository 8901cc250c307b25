"""The config format of the original HRNet: its YAML file is the config `hrnet_w18_<data>_orig` with other values."""

from functools import partial
from pathlib import Path
from typing import Any

from ..config.foreign import Change, ConfigFormat
from ..registry import CONFIG_FORMATS
from .hrnet_yaml import config_of, fill_defaults


@CONFIG_FORMATS.register_module()
class HRNetYaml(ConfigFormat):
    """YAML files of the original HRNet."""

    def read(self, values: Any, path: Path) -> tuple[str, Change] | None:
        filled = fill_defaults(values, path)
        if filled is None:
            return None
        from .hrnet_values import apply_values  # imports mmengine, which a look-up of config names does not need

        return config_of(filled, path), partial(apply_values, filled, path=path)
