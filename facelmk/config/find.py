"""Find a config by its path or name. Nothing here needs mmengine, so a misspelt name is reported at once."""

import logging
import os
from pathlib import Path

from ..errors import UnknownName, close_names, did_you_mean
from .folders import config_folder
from .foreign import config_formats
from .source import SUFFIXES

log = logging.getLogger(__name__)  # to the error stream: --json must stay json


def config_names() -> list[str]:
    """The names of all configs that come with facelmk."""
    return sorted(path.stem for path in config_folder().glob('*.py'))


def find_config(name: str | Path) -> Path:
    """The file of a config given by path or by name; the name may be another project's for the same config."""
    if os.path.isfile(name):
        return Path(name)
    if os.path.isdir(name):
        raise UnknownName(f'{name!s} is a folder. Expected one of its config files ({", ".join(SUFFIXES)})')
    path = config_folder() / f'{Path(name).stem}.py'
    # a missing file of another folder is not ours; os.path.isfile, unlike Path.is_file, takes too long names
    if Path(name).parent.name in ('', 'configs') and os.path.isfile(path):
        return path
    for known in config_formats():
        if ours := known.our_name(name):
            log.warning(
                '%s is the config %s here; no file of the other project is read. Put your own changes behind '
                '--cfg-options or into a config based on %s',
                *(name, ours, ours),
            )
            return config_folder() / f'{ours}.py'
    names = [*config_names(), *(other for known in config_formats() for other in known.names())]
    close = close_names(Path(name).stem, names)
    advice = did_you_mean(Path(name).stem, names) if close else f'{config_folder()} holds those that come with facelmk.'
    raise UnknownName(f'{str(name)[:500]} is neither a config file nor the name of a config. {advice}')
