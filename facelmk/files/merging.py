"""Put a complete draft folder in the place of an output folder: in one step where the system can do that."""

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from .drafts import new_draft

_CURRENT_FOLDER, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
_MAX_LINKS = 20_000  # other files of a folder; with more, files are moved one by one


def merge_into(draft: Path, folder: Path, last: Sequence[str] = ()) -> None:
    """Make all that a draft holds appear in `folder`, whose other files stay; a link never replaces a file.

    If the two folders cannot be exchanged, the files are moved one by one, those with a name in `last` at the end.
    """
    _check_kinds(draft, folder)
    if not folder.is_dir():
        os.replace(draft, folder)
    elif not _exchange_with_others(draft, folder):
        for source in sorted(draft.iterdir(), key=lambda path: (path.name in last, path.name)):
            target = folder / source.name
            if _is_folder(source) and target.is_dir():
                merge_into(source, target, last)
            elif not _is_weaker(source, target):
                _move(source, target)


def _check_kinds(draft: Path, folder: Path) -> None:
    """Refuse a folder in place of a file, and a file in place of a folder, before anything is moved."""
    for path, is_folder in _walk(draft):
        target = folder / path
        if os.path.lexists(target) and is_folder != target.is_dir():
            raise OSError(
                errno.ENOTDIR if is_folder else errno.EISDIR, f'{target} is a {"file" * is_folder or "folder"}'
            )


def _exchange_with_others(draft: Path, folder: Path) -> bool:
    """Exchange a draft and a folder, after links to the folder's other files were put into the draft.

    Return False where the system cannot do that, or where somebody works in the folder.
    """
    if (
        sys.platform != 'linux'
        or draft.parent == folder
        or folder.is_symlink()
        or Path.cwd().is_relative_to(folder.resolve())
    ):
        return False
    linked: list[Path] = []
    try:
        for path, is_folder in _walk(folder):
            target = draft / path
            if is_folder:
                target.mkdir(exist_ok=True)
            elif not os.path.lexists(target):
                os.link(folder / path, target, follow_symlinks=False)
                linked.append(target)
            if len(linked) > _MAX_LINKS:
                raise OSError(errno.EMLINK, 'too many files')
        for target in [draft / path for path, _ in _walk(draft) if _is_weaker(draft / path, folder / path)]:
            target.unlink()
            os.link(folder / target.relative_to(draft), target)
        shutil.copystat(folder, draft)
        _exchange(draft, folder)
    except OSError:
        for target in linked:
            target.unlink()
        return False
    for path, is_folder in _walk(draft):  # what another process wrote in the meantime
        if not is_folder and not os.path.lexists(folder / path):
            _move(draft / path, folder / path)
    shutil.rmtree(draft, ignore_errors=True)  # it holds the old folder now
    return True


def _exchange(one: Path, other: Path) -> None:
    """Exchange two paths in one step; only Linux has this."""
    exchange = getattr(ctypes.CDLL(None, use_errno=True), 'renameat2', None)
    if exchange is None:
        raise OSError(errno.ENOSYS, 'no exchange')
    if exchange(_CURRENT_FOLDER, os.fsencode(one), _CURRENT_FOLDER, os.fsencode(other), _EXCHANGE):
        raise OSError(ctypes.get_errno(), 'no exchange')


def _walk(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield what is below a folder, by its path from there, and whether it is a folder; folders before their files."""
    for parent, folders, files in os.walk(folder):
        base = Path(parent).relative_to(folder)
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        yield from ((base / name, True) for name in folders if name not in links)
        yield from ((base / name, False) for name in (*files, *links))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_weaker(source: Path, target: Path) -> bool:
    """Whether a link would replace a file, which may be the user's only copy."""
    return source.is_symlink() and target.is_file() and not target.is_symlink()


def _move(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # a folder in the output folder is a link to another disk
            raise
        with new_draft(target, lambda draft: shutil.move(source, draft)) as draft:
            os.replace(draft, target)
