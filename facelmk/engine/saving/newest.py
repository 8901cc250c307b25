"""Find the checkpoint of a work folder to resume from: the newest that is complete, judged by its content."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from mmengine.logging import print_log

from ...checkpoint import meta_of, read_content
from ...errors import FacelmkError

Progress = tuple[int, int]  # iterations, epochs


def newest_checkpoint(work_dir: str | Path, same_run: bool = False) -> str | None:
    """Return the checkpoint to resume from, or None; the folder may have been moved or copied.

    This is the file that `last_checkpoint` names or, if that file is damaged, the one with the most iterations.
    With `same_run`, the result is None until this run has written `last_checkpoint`, so that a run never continues
    from files that another run left in the folder.
    """
    last = _last_checkpoint(Path(work_dir))
    if same_run and last is None:
        return None
    first = [(last, *_inspect(last))] if last and last.is_file() else []
    others = sorted(_other_checkpoints(Path(work_dir), last), key=lambda entry: entry[1], reverse=True)
    for path, _, fault in (*first, *others):
        fault = fault or _damage(path)
        if not fault:
            return str(path)
        print_log(f'{path} is not used: {fault}', 'current')
    return None


def _last_checkpoint(work_dir: Path) -> Path | None:
    """Return the path in `last_checkpoint`, in this folder if the file lies here."""
    record = work_dir / 'last_checkpoint'
    text = record.read_text(errors='replace').strip() if record.is_file() else ''
    if not text or '\0' in text:
        return None
    here = record.with_name(Path(text).name)
    return here if here.is_file() else Path(text)


def _other_checkpoints(work_dir: Path, last: Path | None) -> Iterator[tuple[Path, Progress, str]]:
    folders = {work_dir, last.parent} if last else {work_dir}
    for path in (path for folder in folders for path in folder.glob('*.pth')):
        if path != last and not path.name.startswith(('best_', 'fault_', '.')):
            yield (path, *_inspect(path))


def _inspect(path: Path) -> tuple[Progress, str]:
    """Return how far the run of a checkpoint was, and why a run cannot resume from it ('' if it can)."""
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
