"""Files from the net, kept in a cache folder and never half there."""

import glob
import hashlib
import os
import re
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from mmengine.logging import print_log

from ..errors import MissingResource
from .atomic import commit
from .transfer import NoRoom, Transfer, said, shown

LIMIT = 8 << 30  # bytes; no weights of faces come near
_DAY = 86400
_HASH_IN_NAME = re.compile(r'-([0-9a-f]{8})(?:_\d{8})?\.\w+$')  # name-2bf032a6_20210125.pth: first 8 of the sha256


def cache_folder() -> Path:
    """Where downloads are kept: $FACELMK_HOME, or ~/.cache/facelmk."""
    return Path(os.environ.get('FACELMK_HOME') or Path.home() / '.cache' / 'facelmk')


def cached(url: str) -> Path:
    """Where a download is kept; two URLs never share a file."""
    name = Path(unquote(urlsplit(url).path)).name or 'file'
    return cache_folder() / 'downloads' / f'{hashlib.sha256(url.encode()).hexdigest()[:16]}-{name}'


def offline() -> bool:
    """Whether FACELMK_OFFLINE forbids to ask the net."""
    return os.environ.get('FACELMK_OFFLINE', '').lower() not in ('', '0', 'false', 'no', 'off')


def addresses(url: str) -> list[str]:
    """The URL, then the same path below each prefix that FACELMK_MIRROR lists (commas or blanks between them)."""
    path = url.split('://', 1)[1].partition('/')[2]
    prefixes = os.environ.get('FACELMK_MIRROR', '').replace(',', ' ').split()
    return [url, *(f'{prefix.rstrip("/")}/{path}' for prefix in prefixes)]


def fetch(url: str, sha256: str = '', limit: int = LIMIT) -> Path:
    """The file behind a URL, downloaded unless the cache has it.

    `sha256` is the digest or its beginning; without it, the eight digits in the name count, if there are any.
    """
    path = cached(url)
    named = _HASH_IN_NAME.search(urlsplit(url).path)
    promised = sha256 or (named[1] if named else '')
    try:
        if path.is_file():
            return path
        if offline():
            raise OSError('FACELMK_OFFLINE is set, so the net is not asked, and the cache lacks it')
        if wait_for_local_rank0(path):
            return path
        with _private(path, resumed=bool(promised)) as file:
            _from_anywhere(url, file, promised, limit)
            commit(file, path)
        _sweep(path)
    except (OSError, HTTPException) as error:
        raise _missing(url, path, promised, str(error)) from error
    return path


def _from_anywhere(url: str, file: BinaryIO, sha256: str, limit: int) -> None:
    """Fill the file from the first address that has it."""
    failures = []
    for address in addresses(url):
        print_log(f'Downloading {shown(address)}', 'current')
        try:
            return Transfer(address, file, sha256, limit).run()
        except NoRoom:
            raise
        except (OSError, HTTPException, ValueError) as error:
            failures.append(said(error) if address == url else f'{shown(address)}: {said(error)}')
        if not sha256:  # nothing would tell that two addresses hold different files
            file.seek(0)
            file.truncate()
    raise OSError('; '.join(failures))


def _missing(url: str, path: Path, sha256: str, reason: str) -> MissingResource:
    digest = f', where its sha256 must begin with {sha256}' if sha256 else ''
    return MissingResource(
        f'{shown(url)} could not be downloaded: {reason}. Download it where there is a net, and give its path instead '
        f'of the URL or put it at {path}{digest} (FACELMK_HOME moves the cache folder, FACELMK_MIRROR names other '
        'places)'
    )


@contextmanager
def _private(path: Path, resumed: bool) -> Iterator[BinaryIO]:
    """A file that is this process's alone; what breaks off is left for the next call, if a hash can vouch for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.{path.name}.{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex[:8]}.part')
    if not (resumed and _adopt(path, part)):
        part.touch()
    try:
        with part.open('r+b') as file:
            yield file
    except NoRoom:
        part.unlink(missing_ok=True)
        raise
    except BaseException:
        if resumed and part.is_file() and part.stat().st_size:
            part.replace(path.with_name(f'.{path.name}.{socket.gethostname()}.0.{uuid.uuid4().hex[:8]}.part'))
        raise
    finally:
        part.unlink(missing_ok=True)


def _adopt(path: Path, part: Path) -> bool:
    """Take over, by an atomic rename, what a process that is gone has left."""
    for other in _parts(path):
        try:
            if _abandoned(other):
                other.rename(part)
                return True
        except FileNotFoundError:
            continue  # another process was faster
    return False


def _sweep(path: Path) -> None:
    """Remove what others left of a file that is here now."""
    for other in _parts(path):
        try:
            if _abandoned(other):
                other.unlink()
        except FileNotFoundError:
            continue


def _parts(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f'.{glob.escape(path.name)}.*.part'))


def _abandoned(part: Path) -> bool:
    host, owner, _ = part.name.removesuffix('.part').rsplit('.', 2)
    if owner == '0' or time.time() - part.stat().st_mtime > _DAY:
        return True
    return host.endswith(f'.{socket.gethostname()}') and not _lives(int(owner))


def _lives(process: int) -> bool:
    if os.name != 'posix':
        return True  # signal 0 would end it there; the part is taken over when it is a day old
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def wait_for_local_rank0(path: Path, patience: float = 30.0) -> bool:
    """Wait for a download that this machine's first rank makes; False where there is nobody to wait for.

    No message passes between the ranks, so this may be asked before they have met. After `patience` seconds in which
    nothing of the file has grown, the rank is left to itself.
    """
    local = next(
        (
            os.environ[name]
            for name in ('LOCAL_RANK', 'SLURM_LOCALID', 'OMPI_COMM_WORLD_LOCAL_RANK')
            if name in os.environ
        ),
        '0',
    )
    before, since = -1, time.monotonic()
    while local != '0' and time.monotonic() - since < patience:
        if path.is_file():
            return True
        parts = path.parent.glob(f'.{glob.escape(path.name)}.*.part')
        if (grown := sum(_size(part) for part in parts)) != before:
            before, since = grown, time.monotonic()
        time.sleep(0.1)
    return path.is_file()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
