"""One file over http: goes on where it broke off, and is checked by length and hash before anybody sees it."""

import errno
import hashlib
import os
import re
import shutil
import socket
import time
from http.client import HTTPException, HTTPResponse
from typing import IO, Any, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

TIMEOUT = 30.0  # seconds without a byte, or with fewer than LEAST_SPEED allows
LEAST_SPEED = 1000  # bytes a second; $FACELMK_LEAST_SPEED replaces it, 0 waits for the slowest server
TRIES = 3  # of one address, where another try may go better
PAUSE = 1.0  # seconds before the second try; twice as long before the third
_BLOCK = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Refused(OSError):
    """An answer that another try will not better."""


class NoRoom(OSError):
    """The disk is full: no other address helps."""


class Broken(OSError):
    """A transfer that may go well when it is tried again."""


class WebOnly(HTTPRedirectHandler):
    """Follow to http and https alone, as Python's own does, and from https never down to http."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """The request of the new place."""
        if req.type == 'https' and urlsplit(newurl).scheme != 'https':
            raise Refused(f'it leads from https:// to {shown(newurl)}, which is not followed')
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = HTTPRedirectHandler.http_error_302


def opener() -> OpenerDirector:
    """What can speak http and https and nothing else."""
    found = OpenerDirector()
    for handler in (ProxyHandler, HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler, HTTPErrorProcessor, WebOnly):
        found.add_handler(handler())
    return found


class Transfer:
    """Brings a file to the whole of what lies at `url`, from where the file ends now."""

    def __init__(self, url: str, file: BinaryIO, sha256: str, limit: int) -> None:
        if '@' in urlsplit(url).netloc:
            raise Refused('names and passwords in an address are not used')
        self.url, self.file, self.sha256, self.limit = url, file, sha256, limit
        self.version = ''  # of which the file holds the beginning
        self.total: int | None = None  # bytes

    def run(self) -> None:
        """Try until it is whole; raises OSError or HTTPException."""
        for attempt in range(1, TRIES + 1):
            begun = self.file.seek(0, os.SEEK_END)
            try:
                self._go_on(begun)
                return self._compare(begun)
            except (OSError, HTTPException) as error:
                if getattr(error, 'errno', None) in _FULL:
                    raise self._no_room() from error
                if attempt == TRIES or not passing(error):
                    raise
                time.sleep(PAUSE * attempt)

    def _go_on(self, begun: int) -> None:
        headers = {'User-Agent': 'facelmk', 'Accept-Encoding': 'identity'}
        if begun:
            headers |= {'Range': f'bytes={begun}-'} | ({'If-Range': self.version} if self.version else {})
        try:
            with opener().open(Request(self.url, headers=headers), timeout=TIMEOUT) as answer:
                self._copy(answer, begun)
        except HTTPError as error:
            if error.code != 416:
                raise
            if error.headers.get('Content-Range') != f'bytes */{begun}':  # else the file is whole already
                self.file.truncate(0)
                raise Broken('what was there of it is no beginning of it') from error

    def _copy(self, answer: HTTPResponse, begun: int) -> None:
        """Append what comes; from the start, if the answer is the whole file again."""
        if answer.headers.get('Content-Encoding', 'identity') != 'identity':
            raise Refused(f'it comes packed as {answer.headers["Content-Encoding"]}, which was not asked for')
        if answer.headers.get_content_type() == 'text/html':
            raise Refused('a web page came in its place; a network that wants a log-in answers so')
        place = answer.headers.get('Content-Range', '')
        if answer.status != 206 or not place.startswith(f'bytes {begun}-'):
            if answer.status == 206:
                raise Refused(f'asked for the bytes from {begun}, got {place!r}')
            begun = self.file.seek(0)
            self.file.truncate()
        self.version = answer.headers.get('ETag') or answer.headers.get('Last-Modified') or ''
        self.total = None if answer.length is None else begun + answer.length
        self._fits(begun)
        self._blocks(answer, begun)

    def _fits(self, begun: int) -> None:
        """Refuse from the header what is too large for the limit or for the disk."""
        if self.total is not None and self.total > self.limit:
            raise Refused(f'it has {self.total} bytes, the limit is {self.limit}')
        if self.total is not None and shutil.disk_usage(os.path.dirname(self.file.name)).free < self.total - begun:
            raise self._no_room()

    def _blocks(self, answer: HTTPResponse, size: int) -> None:
        begun, speed = size, _least_speed()
        marked, since = size, time.monotonic()
        try:
            while block := answer.read1(_BLOCK if self.total is None else min(_BLOCK, self.total - size)):
                size += self.file.write(block)  # read1: what has come is kept, also when the line is cut next
                if size > self.limit:
                    raise Refused(f'it goes on beyond the limit of {self.limit} bytes')
                if (passed := time.monotonic() - since) > TIMEOUT:
                    if size - marked < speed * passed:
                        raise Broken(
                            f'only {size - marked} bytes came in {passed:.3g} s, below {speed:g} a second '
                            '(FACELMK_LEAST_SPEED)'
                        )
                    marked, since = size, time.monotonic()
        except TimeoutError as error:
            if size == begun:
                raise
            raise Broken(f'nothing more came for {TIMEOUT:g} s') from error
        finally:
            self.file.flush()
        if self.total is not None and size != self.total:
            raise Broken(f'it broke off after {size} of {self.total} bytes')

    def _compare(self, begun: int) -> None:
        """Hold the file against its hash; what was resumed from elsewhere gets a second chance."""
        self.file.seek(0)
        digest = hashlib.sha256()
        while block := self.file.read(_BLOCK):
            digest.update(block)
        found = digest.hexdigest()
        if self.sha256 and not found.startswith(self.sha256.lower()):
            self.file.seek(0)
            self.file.truncate()
            text = f'what came has sha256 {found}, its name promises {self.sha256}'
            raise Broken(text) if begun else Refused(text)

    def _no_room(self) -> NoRoom:
        folder = os.path.dirname(self.file.name)
        needed = 'an unknown number of' if self.total is None else self.total
        return NoRoom(
            f'there is no room in {folder}: the file needs {needed} bytes, {shutil.disk_usage(folder).free} are free'
        )


def _least_speed() -> float:
    given = os.environ.get('FACELMK_LEAST_SPEED', '')
    try:
        return float(given) if given else LEAST_SPEED
    except ValueError as error:
        raise Refused(f'FACELMK_LEAST_SPEED is {given!r}; a number of bytes a second is expected') from error


def shown(url: str) -> str:
    """An address without what may be secret in it: name and password, and what follows the question mark."""
    bare = re.sub(r'//[^/]*@', '//***@', url.partition('?')[0])
    return f'{bare}?...' if '?' in url else bare


def passing(error: Exception) -> bool:
    """Whether the next try may go better."""
    if isinstance(error, HTTPError):
        return error.code >= 500 or error.code in (408, 429)
    return isinstance(error, (Broken, ConnectionError, HTTPException))


def said(error: Exception) -> str:
    """An error of the net in plain words."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(cause, TimeoutError):
        return f'no answer within {TIMEOUT:g} s'
    if isinstance(cause, socket.gaierror):
        return f'the host is not known ({cause.strerror})'
    return str(cause) or type(cause).__name__
