"""The interface of config formats of other projects, which `facelmk.compat` registers in CONFIG_FORMATS."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..registry import CONFIG_FORMATS

if TYPE_CHECKING:
    from mmengine import Config

Change = Callable[['Config'], None]


class ConfigFormat:
    """The configs of another project: their names, files and parts. Each method has a default."""

    def names(self) -> Iterable[str]:
        """Config names of the other project that stand for a config of facelmk."""
        return ()

    def our_name(self, name: str | Path) -> str | None:
        """The config of facelmk that stands for this path or name; None if there is none."""
        return None

    def refuse(self, path: Path, text: str) -> None:
        """Raise an error for a file of the other project that cannot be read."""

    def read(self, values: Any, path: Path) -> tuple[str, Change] | None:
        """The config of facelmk that a file is based on, and the changes that the file makes; None for other files."""
        return None

    def translate(self, values: Mapping[str, Any], source: Any) -> dict[str, Any] | None:
        """The config of facelmk that does the same as the values of a ConfigSource; None for other files."""
        return None

    def replacement(self, name: str) -> str | None:
        """What does the same here as a part that the other project calls `name`."""
        return None

    def key_replacement(self, key: str) -> str | None:
        """What does the same here as an argument that the other project calls `key`."""
        return None


def config_formats() -> list[ConfigFormat]:
    """One of each registered format."""
    return CONFIG_FORMATS.build_all()
