"""Which checkpoint of a work folder a run goes on from: the newest that is whole, by what is in it."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch
from mmengine.logging import print_log

from ...checkpoint import read_checkpoint
from ...errors import FacelmkError

Rank = tuple[int, int]


def newest(work_dir: str | Path, own: bool = False) -> str | None:
    """The checkpoint to resume from, wherever the folder has been moved or copied to; None if it has none.

    It is the one that `last_checkpoint` names, and where that one is damaged, the next by its number of iterations.
    A run that goes back to its `own` has none before it has noted one, whatever another run left in the folder.
    """
    noted = _noted(Path(work_dir))
    if own and noted is None:
        return None
    found = [(noted, *_about(noted))] if noted and noted.is_file() else []
    others = sorted(_others(Path(work_dir), noted), key=lambda entry: entry[1], reverse=True)
    for path, _, fault in (*found, *others):
        fault = fault or _damage(path)
        if not fault:
            return str(path)
        print_log(f'{path} is passed over: {fault}', 'current')
    return None


def _noted(work_dir: Path) -> Path | None:
    """The file that was written last, as the run noted it."""
    note = work_dir / 'last_checkpoint'
    text = note.read_text(errors='replace').strip() if note.is_file() else ''
    if not text or '\0' in text:
        return None
    beside = note.with_name(Path(text).name)
    return beside if beside.is_file() else Path(text)


def _others(work_dir: Path, noted: Path | None) -> Iterator[tuple[Path, Rank, str]]:
    folders = {work_dir, noted.parent} if noted else {work_dir}
    for path in (path for folder in folders for path in folder.glob('*.pth')):
        if path != noted and not path.name.startswith(('best_', 'fault_', '.')):
            yield (path, *_about(path))


def _about(path: Path) -> tuple[Rank, str]:
    """How far a checkpoint is (iterations, epochs), and what keeps a run from going on from it, if anything."""
    try:
        if zipfile.is_zipfile(path):
            found = torch.load(path, 'cpu', weights_only=True, mmap=True)
        else:
            found = read_checkpoint(path)
    except Exception as error:
        try:
            found = read_checkpoint(path)  # others' old files hold more than plain data
        except FacelmkError:
            return (-1, -1), f'it cannot be read ({str(error).partition(". ")[0][:120]})'
    meta = found.get('meta') if isinstance(found, dict) else None
    if not isinstance(meta, dict) or not {'epoch', 'iter'} <= meta.keys() or 'optimizer' not in found:
        return (-1, -1), 'it holds no state of a run'
    return (int(meta['iter']), int(meta['epoch'])), ''


def _damage(path: Path) -> str:
    """What is wrong with the content of a file whose table of contents can be read."""
    if not zipfile.is_zipfile(path):
        return ''
    try:
        with zipfile.ZipFile(path) as archive:
            part = archive.testzip()
    except (OSError, zipfile.BadZipFile) as error:
        return f'it is damaged ({error})'
    return f'it is damaged (in {part})' if part else ''
