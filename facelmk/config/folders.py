"""Where the configs are, where a config's data lie, and where its results go."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError, UnknownName
from ..registry import SCOPE

if TYPE_CHECKING:
    from mmengine import Config

ROOT_KEYS = ('root', 'data_root')  # the readers' names for the folder of a data set


def config_folder() -> Path:
    """The folder of the configs: inside the installed package, or beside it in a clone."""
    inside = Path(__file__).parents[1] / 'configs'
    return inside if inside.is_dir() else Path(__file__).parents[2] / 'configs'


def package_folder(package: str) -> str:
    """The folder that holds `configs` of a package, for `from package.configs... import *` in a config."""
    if package == SCOPE:
        return str(config_folder().parent)
    spec = importlib.util.find_spec(package) if package.isidentifier() else None  # a dotted name would be imported
    if spec is None or not spec.submodule_search_locations:
        raise UnknownName(
            f'a config is based on {package!r}, but there is no such package. Install it, or add its '
            'folder to PYTHONPATH'
        )
    return spec.submodule_search_locations[0]


def package_config(package: str, path: str) -> Path:
    """The file of `package::path`, as mmengine names a config of a package; it is not imported."""
    if package == SCOPE:
        return config_folder() / path
    folder = Path(package_folder(package))
    return next((file for file in (folder / '.mim/configs' / path, folder / path) if file.is_file()), folder / path)


def move_data(config: 'Config', folder: str | Path) -> None:
    """Read all data sets of a config from `folder` instead of its own root."""
    datasets = [
        dataset_and_key
        for phase in ('train', 'val', 'test')
        for dataset_and_key in _with_root((config.get(f'{phase}_dataloader') or {}).get('dataset', {}))
    ]
    roots = sorted({str(dataset[key]) for dataset, key in datasets})
    if len(roots) != 1:
        count = f'{len(roots)} ({", ".join(roots)})' if roots else 'none'
        raise FacelmkError(
            f'--data {folder}: expected a config with one data folder, {config.filename} has {count}. '
            'Set each by --cfg-options, such as val_dataloader.dataset.root=...'
        )
    check_data_folder(folder)
    for dataset, key in datasets:
        dataset[key] = str(Path(folder).expanduser())


def check_data_folder(folder: str | Path) -> None:
    """Refuse a folder of data that does not exist."""
    if not Path(folder).expanduser().is_dir():
        raise FacelmkError(f'--data {folder}: there is no such folder, seen from {Path.cwd()}')


def check_writable(folder: str | Path) -> None:
    """Refuse a work folder that a run cannot write into, before it has worked for hours."""
    path = Path(folder).expanduser()
    try:
        existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
        if not existing.is_dir():
            reason = f'{existing} is a file'
        elif not os.access(existing, os.W_OK | os.X_OK):
            reason = f'this user has no right to write into {existing.absolute()}'
        else:
            return
    except OSError as error:
        reason = error.strerror or str(error)
    raise FacelmkError(
        f'work_dir={str(folder)!r} cannot hold logs and checkpoints: {reason}. Name a folder by --work-dir that you '
        'can write into'
    )


def _with_root(value: Any) -> Iterator[tuple[dict, str]]:
    """Each part at or below `value` that has a root, and the key of it."""
    if isinstance(value, dict):
        yield from ((value, key) for key in ROOT_KEYS if isinstance(value.get(key), str))
        value = list(value.values())
    for child in value if isinstance(value, (list, tuple)) else ():
        yield from _with_root(child)
