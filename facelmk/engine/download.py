"""Files from the net, kept in a cache folder and never half there."""
import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from http.client import HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from mmengine.logging import print_log

from ..errors import MissingResource

_PART = 1 << 20
_HASH_IN_NAME = re.compile(r'-([0-9a-f]{8})(?:_\d{8})?\.\w+$')  # name-2bf032a6_20210125.pth: first 8 of the sha256


def cache_folder() -> Path:
    """Where downloads are kept: $FACELMK_HOME, or ~/.cache/facelmk."""
    return Path(os.environ.get('FACELMK_HOME') or Path.home() / '.cache' / 'facelmk')


def cached(url: str) -> Path:
    """Where a download is kept; two URLs never share a file."""
    name = Path(unquote(urlsplit(url).path)).name or 'file'
    return cache_folder() / 'downloads' / f'{hashlib.sha256(url.encode()).hexdigest()[:16]}-{name}'


def fetch(url: str) -> Path:
    """The file behind a URL, downloaded unless the cache has it."""
    path = cached(url)
    if not path.is_file():
        print_log(f'Downloading {url}', 'current')
        try:
            with urlopen(url, timeout=30) as answer:
                write_whole(path, lambda file: _receive(answer, file, url))
        except (URLError, OSError) as error:
            raise MissingResource(
                f'{url} could not be downloaded: {error}. Download it where there is a net, and give its path instead '
                f'of the URL or put it at {path} (the cache folder is set by FACELMK_HOME)') from error
    return path


def _receive(answer: HTTPResponse, file: BinaryIO, url: str) -> None:
    """Copy, and compare length and hash with what was promised."""
    digest, size = hashlib.sha256(), 0
    while part := answer.read(_PART):
        file.write(part)
        digest.update(part)
        size += len(part)
    promised = answer.headers.get('Content-Length')
    if promised is not None and int(promised) != size:
        raise OSError(f'it broke off after {size} of {promised} bytes')
    named = _HASH_IN_NAME.search(urlsplit(url).path)
    if named and not digest.hexdigest().startswith(named[1]):
        raise OSError(f'what came has sha256 {digest.hexdigest()[:8]}..., its name promises {named[1]}')


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file so that a reader sees the old one or the new one whole: private file, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, private = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    try:
        with os.fdopen(handle, 'wb') as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(private, 0o666 & ~_umask())
        os.replace(private, path)
    except BaseException:
        Path(private).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the rename outlive a power cut, where the system can."""
    if os.name == 'posix':
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
