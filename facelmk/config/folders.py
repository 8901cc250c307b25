"""Where the configs are, where a config's data lie, and where its results go."""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import FacelmkError, UnknownName
from ..registry import SCOPE

if TYPE_CHECKING:
    from mmengine import Config

ROOT_KEYS = ('root', 'data_root')  # the readers' names for the folder of a data set
FILE_KEYS = ('ann_file',)  # and for its annotations
PHASES = ('train', 'val', 'test')
CALIBRATION, CALIBRATION_KEY = 'calibration', 'calibration_data'


def config_folder() -> Path:
    """The folder of the configs: inside the installed package, or beside it in a clone."""
    inside = Path(__file__).parents[1] / 'configs'
    return inside if inside.is_dir() else Path(__file__).parents[2] / 'configs'


def name_of_config(file: str | Path | None) -> str:
    """Return what to call a config in tables: its file's name or, of a file named config.py, that of its folder."""
    path = Path(file or 'config')
    return path.absolute().parent.name if file and path.stem == 'config' else path.stem


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


def move_data(config: 'Config', folder: str | Path, phases: Sequence[str] = PHASES) -> None:
    """Read the data of a command from `folder`: all data sets of the config that have the root of those in `phases`.

    A phase is 'train', 'val', 'test', or 'calibration', which is val where the config has no `calibration_data`.
    """
    phases = ['val' if phase == CALIBRATION and not config.get(CALIBRATION_KEY) else phase for phase in phases]
    everything = [one for phase in (*PHASES, CALIBRATION) for one in _rooted(config, phase)]
    used = [one for phase in phases for one in _rooted(config, phase)]
    roots = {one.root for one in used}
    if len(roots) != 1:
        raise FacelmkError(f'--data {folder}: {_advice(config, phases, used)}')
    check_data_folder(folder)
    for one in everything:
        if one.root in roots:
            one.part[one.key] = str(Path(folder).expanduser())


class _Rooted(NamedTuple):
    """A part of a config with the folder of its data, under one of two keys, and where the part is."""

    part: dict
    key: str
    place: str

    @property
    def root(self) -> str:
        return str(self.part[self.key])


def _rooted(config: 'Config', phase: str) -> list[_Rooted]:
    """Return all parts with a root in the data set of a phase."""
    return list(_with_key(_dataset(config, phase), _place(phase), ROOT_KEYS))


def _place(phase: str) -> str:
    return CALIBRATION_KEY if phase == CALIBRATION else f'{phase}_dataloader.dataset'


def _dataset(config: 'Config', phase: str) -> Any:
    if phase == CALIBRATION:
        return config.get(CALIBRATION_KEY)
    return (config.get(f'{phase}_dataloader') or {}).get('dataset')


def _advice(config: 'Config', phases: Sequence[str], used: Sequence[_Rooted]) -> str:
    """Say why one folder is not enough for the data of a config, and which values do what --data cannot."""
    count = f'{len({one.root for one in used})} folders' if used else 'no folder'
    files = [one for phase in phases for one in _with_key(_dataset(config, phase), _place(phase), FILE_KEYS)]
    if keys := ' '.join(f'{one.place}.{one.key}=...' for one in used or files):
        values = ', '.join(dict.fromkeys(one.root for one in used or files))
        return (
            f'the data of {config.filename} are in {count}, and --data replaces exactly one. Give each key '
            f'instead: --cfg-options {keys} (now {values})'
        )
    kinds = dict.fromkeys(kind for phase in phases for kind in _readers(_dataset(config, phase)))
    return (
        f'the data of {config.filename} are in {count} ({", ".join(kinds)}), so there is nothing that --data could '
        'replace. Expected a config whose data set has the key root or data_root. For annotations of your own, '
        'facelmk train --data DIR writes such a config, config.py in the work folder'
    )


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


def _readers(dataset: Any) -> Iterator[str]:
    """Yield the types of the data sets that read or draw faces, but not of those that join others."""
    members = [member.get('dataset', member) for member in dataset.get('datasets') or ()] if dataset else []
    members += [dataset['dataset']] if dataset and 'dataset' in dataset else []
    if dataset and not members:
        yield str(dataset.get('type'))
    for member in members:
        yield from _readers(member)


def _with_key(value: Any, place: str, keys: Sequence[str]) -> Iterator[_Rooted]:
    """Each part at or below `value` with a text under one of the keys; `place` is the dotted key of `value`."""
    if isinstance(value, dict):
        yield from (_Rooted(value, key, place) for key in keys if isinstance(value.get(key), str))
        children: Any = value.items()
    else:
        children = enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, child in children:
        yield from _with_key(child, f'{place}.{key}', keys)
