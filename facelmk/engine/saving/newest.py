"""Find the checkpoint of a work folder to resume from: the newest that is complete, judged by its content."""

import logging
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from ...checkpoint import meta_of, read_content
from ...errors import FacelmkError
from ...files.atomic import write_bytes

Progress = tuple[int, int]  # iterations, epochs
POINTER = 'last_checkpoint'  # a file that holds the name of the newest checkpoint of its folder
_MAX_POINTER_BYTES = 4096


def checkpoint_folder(config: Mapping[str, Any]) -> Path:
    """Return where a run writes checkpoints: its work folder, or a folder of that name in CheckpointHook.out_dir."""
    hook = (config.get('default_hooks') or {}).get('checkpoint') or {}
    work_dir, out_dir = Path(config['work_dir']), hook.get('out_dir')
    if out_dir is None or Path(out_dir) == work_dir.absolute():
        return work_dir
    return Path(out_dir, work_dir.absolute().name)


def newest_checkpoint(folder: str | Path, same_run: bool = False) -> str | None:
    """Return the checkpoint to resume from, or None; it always lies in `folder`, which may have been moved or copied.

    This is the file that `last_checkpoint` names or, if that file is damaged, the one with the most iterations.
    With `same_run`, the result is None until this run has written `last_checkpoint`, so that a run never continues
    from files that another run left in the folder.
    """
    folder = Path(folder)
    if same_run and not (folder / POINTER).is_file():
        return None
    last = _pointed(folder)
    first = [(last, *_inspect(last))] if last else []
    others = sorted(_other_checkpoints(folder, last), key=lambda entry: entry[1], reverse=True)
    for path, _, fault in (*first, *others):
        fault = fault or _damage(path)
        if not fault:
            return str(path)
        print_log(f'{path} is not used: {fault}', 'current', logging.WARNING)
    return None


def point_to(checkpoint: Path) -> None:
    """Note a checkpoint as the newest of its folder."""
    write_bytes(checkpoint.with_name(POINTER), checkpoint.name.encode())


def own_name(path: str) -> str:
    """Return the last part of a path of any system: pointers of facelmk before 0.3 hold absolute paths."""
    return re.split(r'[/\\]', path)[-1]


def _pointed(folder: Path) -> Path | None:
    """Return the checkpoint of this folder that `last_checkpoint` names, or None."""
    if not (folder / POINTER).is_file():
        return None
    with (folder / POINTER).open('rb') as file:
        text = file.read(_MAX_POINTER_BYTES).decode(errors='replace').strip()
    name = own_name(text)
    if name and os.path.isfile(folder / name) and not _leads_out(folder / name):
        return folder / name
    print_log(
        f'{folder / POINTER} names {text[:200]!r}, which is no checkpoint of this folder: the newest one is used',
        'current',
        logging.WARNING,
    )
    return None


def _leads_out(path: Path) -> bool:
    """Whether a path is a link to a file of another folder."""
    return os.path.dirname(os.path.realpath(path)) != os.path.realpath(path.parent)


def _other_checkpoints(folder: Path, last: Path | None) -> Iterator[tuple[Path, Progress, str]]:
    for path in folder.glob('*.pth'):
        if path != last and not path.name.startswith(('best_', 'fault_', '.')):
            yield (path, *_inspect(path))


def _inspect(path: Path) -> tuple[Progress, str]:
    """Return how far the run of a checkpoint was, and why a run cannot resume from it ('' if it can)."""
    if _leads_out(path):
        return (-1, -1), f'it is a link to {os.path.realpath(path)}, in another folder'
    try:
        content = read_content(path, numbers=False)
    except FacelmkError as error:
        return (-1, -1), f'it cannot be read ({str(error).partition(". ")[0][:120]})'
    iterations, epochs = (meta_of(content).get(key) for key in ('iter', 'epoch'))
    if not isinstance(iterations, int) or not isinstance(epochs, int) or 'optimizer' not in content:
        return (-1, -1), 'it contains no state of a run'
    return (iterations, epochs), ''


def _damage(path: Path) -> str:
    """Return what is wrong with the content of a zip file ('' if nothing); its directory is readable."""
    if not zipfile.is_zipfile(path):
        return ''
    try:
        with zipfile.ZipFile(path) as archive:
            part = archive.testzip()
    except Exception as error:  # zipfile raises half a dozen kinds
        return f'it is damaged ({error})'
    return f'it is damaged (in {part!r})' if part else ''
