"""Config formats of other projects, registered for `facelmk.config`."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from ..config.foreign import Change, ConfigFormat
from ..config.source import ConfigSource
from ..registry import CONFIG_FORMATS
from .aliases import ALIASES, our_name, refuse_mmpose_file
from .hrnet_yaml import apply_values, config_of, fill_defaults


@CONFIG_FORMATS.register_module()
class NamesOfOthers(ConfigFormat):
    """Config names of MMPose, the original HRNet and Adaptive Wing; MMPose's own files are refused."""

    def names(self) -> Iterable[str]:
        return ALIASES

    def our_name(self, source: str | Path) -> str | None:
        return our_name(source)

    def refuse(self, path: Path, text: str) -> None:
        refuse_mmpose_file(path, text)

    def replacement(self, name: str) -> str | None:
        from .mmpose_datasets import STEPS  # imports all data sets, which only this error needs

        return f'{name} is a part of MMPose. The same here: {STEPS[name]}.' if name in STEPS else None


@CONFIG_FORMATS.register_module()
class HRNetYaml(ConfigFormat):
    """YAML files of the original HRNet."""

    def read(self, source: ConfigSource) -> tuple[str, Change] | None:
        values = fill_defaults(source.tree, source.path) if isinstance(source.tree, dict) else None
        if values is None:
            return None
        return config_of(values, source.path), partial(apply_values, values, path=source.path)
