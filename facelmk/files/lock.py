"""The lock of a work folder: two runs never share one."""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from ..errors import FacelmkError
from .atomic import check_output, translate_output_errors

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

MAX_LOCK_BYTES = 4096
WRITING_S = 1.0  # that a process may take to write its lock file
_HELD: dict[tuple[int, int], int] = {}  # device and inode of each lock that this process has, and its id
_MUTEX = threading.Lock()


@contextmanager
def locked_folder(folder: str | Path, name: str) -> Iterator[None]:
    """Hold the lock `name` of a folder; raise FacelmkError if another process has it.

    The system frees the lock of a process that ends in any way. The file says who has it: for the message, and for file
    systems that do not pass locks on to other machines. A file that was copied with its folder locks nothing.
    """
    folder, is_new = Path(folder), not Path(folder).exists()
    file = folder / name
    try:
        check_output(folder, folder=True)
        with translate_output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with _MUTEX:
                descriptor = _acquire(file)
                key = _identity(descriptor)
                _HELD[key] = os.getpid()
        try:
            yield
        finally:
            if _HELD.pop(key) == os.getpid() and _identity(file) == key:  # else we are a child of the owner
                file.unlink()
            os.close(descriptor)
    finally:
        if is_new:
            with suppress(OSError):
                folder.rmdir()  # an empty folder: the run was refused before it wrote anything


def _acquire(file: Path) -> int:
    """Return the descriptor of the lock file, with the lock on it and this process written in it."""
    while True:
        if _HELD.get(_identity(file)) == os.getpid():
            raise _refusal(file, _process())  # to open and close the file would free the lock
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, 'O_NOFOLLOW', 0), 0o666)
        try:
            _lock(descriptor, file)
            if _identity(file) == _identity(descriptor):
                _take_over(descriptor, file)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its owner has just removed it: the next file counts


def _lock(descriptor: int, file: Path) -> None:
    """Ask the system for the lock. Workers that are forked from its owner do not inherit it, so they cannot keep it."""
    try:
        if fcntl is not None:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        until = time.monotonic() + WRITING_S
        while not _read(descriptor) and time.monotonic() < until:
            time.sleep(0.02)
        raise _refusal(file, _read(descriptor)) from error
    except OSError:  # this file system has no locks: what the file says decides
        pass


def _take_over(descriptor: int, file: Path) -> None:
    """Write this process into a lock file that the system gave us, unless its owner lives or may live elsewhere."""
    owner, me = _read(descriptor), _process()
    if owner.get('inode') == _identity(descriptor)[1]:
        if _may_live(owner, me):
            raise _refusal(file, owner)
        who = f'process {owner["pid"]} on {owner.get("host")}, which has ended'
        print_log(f'{file.parent}: this run takes over the lock of {who}', 'current', logging.WARNING)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(me | {'inode': _identity(descriptor)[1]}).encode(), 0)
        os.fsync(descriptor)
    except OSError:  # the disk is full
        file.unlink()
        raise


def _read(descriptor: int) -> dict[str, Any]:
    """Return what a lock file says about its owner; {} if nothing that we can use."""
    with suppress(ValueError, RecursionError):  # thousands of brackets
        owner = json.loads(os.pread(descriptor, MAX_LOCK_BYTES, 0))
        if isinstance(owner, dict) and isinstance(owner.get('pid'), int):
            return owner
    return {}


def _process() -> dict[str, Any]:
    """Return what identifies this process."""
    return {
        'pid': os.getpid(),
        'host': socket.gethostname(),
        'since': datetime.now().astimezone().isoformat(' ', 'seconds'),
        'start': _start_time(os.getpid()),
        'boot': _boot(),
        'job': os.environ.get('TORCHELASTIC_RUN_ID'),
    }


def _may_live(owner: dict[str, Any], me: dict[str, Any]) -> bool:
    """Whether the owner of a lock that the system gave us may still run: on another machine, or without locks."""
    same_boot, same_host = (owner.get(key) == me[key] for key in ('boot', 'host'))
    if same_boot and same_host:
        start = None if owner['pid'] == me['pid'] else _start_time(owner['pid'])
        return start is not None and start == owner.get('start')
    return not (same_boot or same_host or _is_same_job(owner, me))  # same boot, other host: a container


def _is_same_job(owner: dict[str, Any], me: dict[str, Any]) -> bool:
    """Whether torchrun has restarted its ranks, and rank 0 is now on another machine."""
    restarted = int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)) > 0
    return restarted and me['job'] not in (None, 'none') and owner.get('job') == me['job']


def _start_time(pid: int) -> int | None:
    """Return when a process of this machine started, in ticks of its clock; None if it has ended."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
        return None if fields[0] in 'ZX' else int(fields[19])  # Z, X: it is dead, only its parent does not know yet
    return None


def _boot() -> str | None:
    with suppress(OSError):
        return Path('/proc/sys/kernel/random/boot_id').read_text().strip()
    return None


def _identity(file: int | Path) -> tuple[int, int]:
    """Return device and inode of an open file or a path; (0, 0) if there is none."""
    with suppress(FileNotFoundError):
        status = os.stat(file)
        return status.st_dev, status.st_ino
    return 0, 0


def _refusal(file: Path, owner: dict[str, Any]) -> FacelmkError:
    who = f'process {owner["pid"]} on {owner.get("host")}, since {owner.get("since")}' if owner else 'another process'
    here = owner.get('host') == socket.gethostname()
    advice = '' if here else f'. If that run has ended, delete {file}'
    return FacelmkError(
        f'{file.parent} is the work folder of another run: {who}. Two runs would overwrite each other. Wait until it '
        f'has ended, or name another folder by --work-dir{advice}'
    )
