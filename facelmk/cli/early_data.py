"""Missing data, found before torch is imported: a command without its data then ends within a second or two."""

import argparse
from typing import Any

from ..errors import FacelmkError
from .options import config_file, values


def refuse_missing_files(options: argparse.Namespace, *phases: str) -> None:
    """Refuse a config whose data set is not on the disk, as far as the text of the config shows it.

    A config that is more than data, and a part of unknown type, are checked when the config is loaded.
    """
    config = _read_values(options, phases)
    if config is None:
        return
    from ..datasets.needs import refuse_missing_data, usual_absent

    refuse_missing_data(config, phases, usual_absent)


def _read_values(options: argparse.Namespace, phases: tuple[str, ...]) -> Any:
    """Return the values of a config with the options of the command line; None if they cannot be read so simply."""
    from ..config.evaluate import NotData, evaluate
    from ..config.folders import move_data
    from ..config.source import read_source

    try:
        config: Any = evaluate(read_source(config_file(options), options.safe_config))
        for key, value in values(options.cfg_options or ()).items():
            if key.split('.')[0].endswith('_dataloader'):
                _put(config, key.split('.'), value)
        if 'test' in phases and not config.get('test_dataloader'):
            config['test_dataloader'] = config.get('val_dataloader')
        if options.data:
            move_data(config, options.data, phases)
    except (NotData, FacelmkError, LookupError, TypeError, ValueError, AttributeError):
        return None  # loading the config says what is wrong
    return config


def _put(config: Any, keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        config = config[int(key) if isinstance(config, (list, tuple)) else key]
    config[int(keys[-1]) if isinstance(config, list) else keys[-1]] = value
