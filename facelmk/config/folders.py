"""Where configs lie, and where a config's data lie and its results go."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine import Config

from ..errors import FacelmkError

ROOTS = ('root', 'data_root')  # what readers call the folder that their files lie in


def config_folder() -> Path:
    """Where the configs are: inside the installed package, or beside it in a clone."""
    inside = Path(__file__).parents[1] / 'configs'
    return inside if inside.is_dir() else Path(__file__).parents[2] / 'configs'


def move_data(config: Config, folder: str | Path) -> None:
    """Read all data sets of a config from `folder` instead of its own root."""
    sets = [
        found
        for phase in ('train', 'val', 'test')
        for found in _rooted((config.get(f'{phase}_dataloader') or {}).get('dataset', {}))
    ]
    roots = sorted({str(found[key]) for found, key in sets})
    if len(roots) != 1:
        has = f'{len(roots)} ({", ".join(roots)})' if roots else 'none'
        raise FacelmkError(
            f'--data {folder}: {config.filename} must have one data folder to be moved, it has {has}. '
            'Set each by --cfg-options, such as val_dataloader.dataset.root=...'
        )
    if not Path(folder).expanduser().is_dir():
        raise FacelmkError(f'--data {folder}: there is no such folder (looked from {Path.cwd()})')
    for found, key in sets:
        found[key] = str(Path(folder).expanduser())


def claim(folder: str | Path) -> None:
    """Refuse a folder that a run cannot write into, before it has worked for hours."""
    wanted = Path(folder).expanduser()
    try:
        there = next(place for place in (wanted, *wanted.absolute().parents) if place.exists())
        if not there.is_dir():
            wrong = f'{there} is a file'
        elif not os.access(there, os.W_OK | os.X_OK):
            wrong = f'{there.absolute()} may not be written to by this user'
        else:
            return
    except OSError as error:
        wrong = error.strerror or str(error)
    raise FacelmkError(
        f'work_dir={str(folder)!r} cannot take logs and checkpoints: {wrong}. Name a folder that can '
        'be written to by --work-dir'
    )


def _rooted(value: Any) -> Iterator[tuple[dict, str]]:
    """Every part at or below `value` that names a root, and under which key."""
    if isinstance(value, dict):
        yield from ((value, key) for key in ROOTS if isinstance(value.get(key), str))
        for child in value.values():
            yield from _rooted(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _rooted(child)
