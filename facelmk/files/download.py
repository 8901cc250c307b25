"""Download files into a cache folder; a file gets its name there when its length and hash are right."""

import errno
import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import Request

from ..errors import FULL_DISK, FacelmkError, MissingResource
from .addresses import is_url
from .atomic import commit
from .body import BLOCK_BYTES, Broken, Refused, Response, check_no_page, check_whole
from .digest import sha256_of
from .notes import note
from .progress import MB, Progress
from .web import explain, hide_secrets, is_temporary, open_url, read_blocks, without_secrets

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

MAX_BYTES = 8 << 30  # no weights of faces come near
TRIES = 3  # of one address, if another try may help
PAUSE_S = 1.0  # before the second try; twice as long before the third
PATIENCE_S = 30.0  # without a new byte in a file that another process downloads
_SPAN = re.compile(r'bytes (\d+)-(\d+)/(\d+|\*)')  # the Content-Range of an answer
_HASH_IN_NAME = re.compile(r'-([0-9a-f]{8})(?:_\d{8})?\.\w+$')  # name-2bf032a6_20210125.pth: first 8 of the sha256
_MAX_NAME_BYTES = 200


def cache_folder() -> Path:
    """Return the folder of downloads and other caches: $FACELMK_HOME, or ~/.cache/facelmk."""
    return Path(os.environ.get('FACELMK_HOME') or Path.home() / '.cache' / 'facelmk')


def cached(url: str) -> Path:
    """Return the path of a download in the cache; two URLs never share one."""
    name = unquote(re.split('[?#]', url)[0]).rpartition('/')[2]
    name = re.sub(r'[\0-\x1f\x7f/\\:]', '_', name).encode(errors='replace')[-_MAX_NAME_BYTES:].decode(errors='ignore')
    digest = hashlib.sha256(url.encode(errors='replace')).hexdigest()[:16]
    return cache_folder() / 'downloads' / f'{digest}-{name or "file"}'


def offline() -> bool:
    """Whether FACELMK_OFFLINE forbids connections."""
    return os.environ.get('FACELMK_OFFLINE', '').lower() not in ('', '0', 'false', 'no', 'off')


def mirror_prefixes() -> list[str]:
    """Return the prefixes in FACELMK_MIRROR, which commas or blanks separate."""
    prefixes = os.environ.get('FACELMK_MIRROR', '').replace(',', ' ').split()
    for prefix in prefixes:
        if not is_url(prefix):
            raise FacelmkError(
                f'FACELMK_MIRROR: {without_secrets(prefix)} does not begin with http:// or https://. Expected the '
                'address of a server, with commas between several. Correct the variable, or unset it'
            )
    return [prefix.rstrip('/') for prefix in prefixes]


def addresses(url: str, mirrors: Sequence[str] = ()) -> list[str]:
    """Return the URL, its mirrors, and its path below each prefix in FACELMK_MIRROR."""
    path = url.partition('://')[2].partition('/')[2]
    return list(dict.fromkeys([url, *mirrors, *(f'{prefix}/{path}' for prefix in mirror_prefixes())]))


def hash_in_name(url: str) -> str:
    """Return the first eight digits of the sha256 that a file's name holds; '' if it holds none."""
    named = _HASH_IN_NAME.search(url.partition('?')[0])
    return named[1] if named else ''


def fetch(url: str, sha256: str = '', limit: int = MAX_BYTES, mirrors: Sequence[str] = ()) -> Path:
    """Return the file of a URL or of its mirrors, downloaded unless the cache has it.

    `sha256` is the digest or its beginning; without it, the eight digits in the file's name are taken, if it has them.
    """
    path, sha256 = cached(url), (sha256 or hash_in_name(url)).lower()
    try:
        if _is_there(path, sha256):
            return path
        if offline():
            has = 'holds another file under this name' if path.is_file() else 'does not have the file'
            raise OSError(f'FACELMK_OFFLINE is set, so no connection is made, and the cache {has}')
        if path.is_file() and path.stat().st_size:
            note(f'{path} is damaged: its sha256 does not begin with {sha256}. It is downloaded again')
        path.parent.mkdir(parents=True, exist_ok=True)
        with _open_part(path) as file:
            try:
                if _is_there(path, sha256):  # another process finished it while we waited
                    os.unlink(file.name)
                else:
                    _download(addresses(url, mirrors), file, sha256, limit)
                    commit(file, path)
            except BaseException as error:
                if not sha256 or getattr(error, 'errno', None) in FULL_DISK or not os.fstat(file.fileno()).st_size:
                    Path(file.name).unlink(missing_ok=True)  # else the next call resumes and the hash checks the parts
                raise
    except (OSError, HTTPException, ValueError) as error:
        reason = hide_secrets(str(error), url)
        digest = f', where its sha256 must begin with {sha256}' if sha256 else ''
        raise MissingResource(
            f'{without_secrets(url)} could not be downloaded: {reason}. Download it on a machine with a connection, '
            f'and give its path instead of the URL or put it at {path}{digest} (FACELMK_HOME moves the cache folder, '
            'FACELMK_MIRROR names other servers)'
        ) from error
    return path


def _is_there(path: Path, sha256: str) -> bool:
    """Whether the cache has a file, undamaged as far as its hash is known; earlier versions kept empty ones."""
    return path.is_file() and path.stat().st_size > 0 and (not sha256 or sha256_of(path).startswith(sha256))


def _open_part(path: Path) -> BinaryIO:
    """Open the unfinished download of `path`, which no other process writes to.

    A lock on it makes others wait, and ends with its process. If nothing arrives while we wait, we use a file of our
    own. Systems without locks use one always.
    """
    part = path.with_name(f'.{path.name}.part')
    size, since = -1, time.monotonic()
    while fcntl and time.monotonic() - since < PATIENCE_S:
        file = part.open('a+b')
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if part.exists() and os.path.samestat(part.stat(), os.fstat(file.fileno())):
                return file  # else its last owner has renamed or removed it
            file.close()
        except BlockingIOError:
            if (grown := os.fstat(file.fileno()).st_size) != size:
                size, since = grown, time.monotonic()
            file.close()
            time.sleep(0.1)
        except OSError:  # the file system has no locks
            file.close()
            break
    return path.with_name(f'.{path.name}.{uuid.uuid4().hex[:8]}.part').open('a+b')


def _download(urls: Sequence[str], file: BinaryIO, sha256: str, limit: int) -> None:
    """Fill the file, open for appending, from the first URL that has it; raise OSError if none has."""
    failures = []
    for address in urls:
        note(f'Downloading {without_secrets(address)}')
        download = _Download(address, file, sha256, limit)
        for attempt in range(1, TRIES + 1):
            try:
                return download.run()
            except (OSError, HTTPException, ValueError) as error:
                if getattr(error, 'errno', None) in FULL_DISK:  # no other address helps
                    raise OSError(
                        errno.ENOSPC,
                        f'there is no room in {os.path.dirname(file.name)}: the file needs '
                        f'{download.total or "an unknown number of"} bytes, {_free_bytes(file)} are free',
                    ) from error
                if attempt == TRIES or not is_temporary(error):
                    mirror = '' if address == urls[0] else f'{without_secrets(address)}: '
                    failures.append(mirror + explain(error))
                    break
                time.sleep(PAUSE_S * attempt)
    raise OSError('; '.join(failures))


class _Download:
    """Append to a file, open for appending, what is missing of the file at `url`."""

    def __init__(self, url: str, file: BinaryIO, sha256: str, limit: int) -> None:
        self.url, self.file, self.sha256, self.limit = url, file, sha256, limit
        self.version = ''  # ETag or date of the file that we have the beginning of
        self.total: int | None = None  # bytes

    def run(self) -> None:
        """Request what is missing and check the hash of the whole."""
        if not self.sha256:  # nothing could show that two parts belong to different files
            self.file.truncate(0)
        start = self.file.seek(0, os.SEEK_END)
        headers = {'User-Agent': 'facelmk', 'Accept-Encoding': 'identity'}
        if start:
            headers |= {'Range': f'bytes={start}-'} | ({'If-Range': self.version} if self.version else {})
        try:
            with open_url(Request(self.url, headers=headers)) as answer:
                self._receive(answer, start)
        except HTTPError as error:
            if error.code != 416:
                raise
            if not start or error.headers.get('Content-Range') != f'bytes */{start}':  # else the file is complete
                self.file.truncate(0)
                raise Broken('the part from an earlier try is no beginning of it') from error
        self._check_hash(resumed=start > 0)

    def _receive(self, answer: Response, start: int) -> None:
        """Append the body; from the start if the server sends the whole file again."""
        if answer.status == 206:
            self._check_span(answer, start)
        else:
            start = 0
            self.file.truncate(0)
        self.version = answer.headers.get('ETag') or answer.headers.get('Last-Modified') or ''
        self.total = None if answer.length is None or answer.is_packed else start + answer.length
        if self.total and self.total > self.limit:
            raise Refused(f'it has {self.total} bytes, the limit is {self.limit}')
        if self.total and _free_bytes(self.file) < self.total - start:
            raise OSError(errno.ENOSPC, 'the disk is too small')
        ends = answer.length is not None or answer.chunked or answer.is_packed  # whether its end can be seen
        size = start
        try:
            for block in self._shown(read_blocks(answer), start):
                size += self.file.write(block)
                if size > self.limit:
                    raise Refused(f'it is longer than the limit of {self.limit} bytes')
        finally:
            self.file.flush()
        if not size:
            raise Broken('the server sent no bytes')
        if not self.sha256:
            check_no_page(self.file)
            check_whole(self.file, ends)

    def _shown(self, blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
        """Yield the blocks, and show how many megabytes have arrived."""
        total = None if self.total is None else self.total / MB
        with Progress('downloading', total, size / MB, unit='MB/s') as progress:
            for block in blocks:
                yield block
                size += len(block)
                progress.show(size / MB)

    def _check_span(self, answer: Response, start: int) -> None:
        """Refuse a part of the file that is not what was asked for: the rest of it, unpacked."""
        header = answer.headers.get('Content-Range', '')
        first, last, size = span.groups() if (span := _SPAN.fullmatch(header)) else ('', '0', '*')
        ends = size in ('*', str(int(last) + 1)) and answer.length in (None, int(last) + 1 - start)
        if not start or first != str(start) or not ends or answer.is_packed:
            self.file.truncate(0)
            raise Refused(f'asked for {f"the bytes from {start}" if start else "all bytes"}, got {header!r}')

    def _check_hash(self, resumed: bool) -> None:
        """Refuse a wrong hash; a resumed file gets another try, because its beginning may be of another file."""
        self.file.seek(0)
        hasher = hashlib.sha256()
        while block := self.file.read(BLOCK_BYTES):
            hasher.update(block)
        if not hasher.hexdigest().startswith(self.sha256):
            self.file.truncate(0)
            text = f'it has sha256 {hasher.hexdigest()}, its name promises {self.sha256}'
            raise Broken(text) if resumed else Refused(text)


def _free_bytes(file: BinaryIO) -> int:
    return shutil.disk_usage(os.path.dirname(file.name)).free
