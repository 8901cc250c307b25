"""HTTP and HTTPS requests with a time-out for the whole header and a minimum speed for the body."""

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

TIMEOUT_S = 30.0  # for a connection, for all headers, and without a byte or below the minimum speed
MIN_SPEED = 1000  # bytes a second; $FACELMK_LEAST_SPEED replaces it, 0 waits for the slowest server
BLOCK_BYTES = 1 << 20


class Refused(OSError):
    """An answer that another try will not change."""


class Broken(OSError):
    """A transfer that may succeed when it is tried again."""


class _HeaderTimeout(HTTPConnection):
    """Python's time-out starts again with each byte; this one is for all headers together."""

    expired = False

    def getresponse(self) -> HTTPResponse:
        timer = threading.Timer(TIMEOUT_S, self._expire)
        timer.start()
        try:
            return super().getresponse()
        finally:
            timer.cancel()
            if self.expired:  # Python may take the end of the stream for the end of the headers
                raise TimeoutError

    def _expire(self) -> None:
        self.expired = True
        if self.sock:
            self.sock.shutdown(socket.SHUT_RDWR)


class _SecureHeaderTimeout(_HeaderTimeout, HTTPSConnection):
    """The same with TLS."""


class _Connect(HTTPHandler, HTTPSHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_HeaderTimeout, req)

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_SecureHeaderTimeout, req, context=self._context)  # type: ignore[attr-defined]


class _Redirect(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if req.type == 'https' and urlsplit(newurl).scheme != 'https':
            raise Refused(f'it leads from https:// to {without_secrets(newurl)}, which is not followed')
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_url(request: Request) -> HTTPResponse:
    """Return the answer, if it has status 200 or 206 and a plain body that is no web page; follow redirects."""
    _check_address(request.full_url)
    answer = build_opener(_Connect, _Redirect).open(request, timeout=TIMEOUT_S)
    try:
        _check_answer(answer)
    except Refused:
        answer.close()
        raise
    return answer


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ('http', 'https'):
        raise Refused(f'{without_secrets(url)} does not begin with http:// or https://')
    if '@' in parts.netloc:
        raise Refused('names and passwords in an address are not used')


def _check_answer(answer: HTTPResponse) -> None:
    for header, plain in (('Content-Encoding', ('identity',)), ('Transfer-Encoding', ('identity', 'chunked'))):
        if (packed := answer.headers.get(header, 'identity')).lower() not in plain:
            raise Refused(f'it comes packed as {packed}, which is not unpacked')
    if answer.status not in (200, 206) or answer.length == 0:
        raise Refused(f'the answer is empty (status {answer.status})')
    if answer.headers.get_content_type() == 'text/html':
        raise Refused('a web page came in its place; a network that wants a log-in answers so')


def read_blocks(answer: HTTPResponse) -> Iterator[bytes]:
    """Yield the body as it arrives; raise Broken if it comes more slowly than the minimum speed."""
    text = os.environ.get('FACELMK_LEAST_SPEED') or str(MIN_SPEED)
    try:
        speed = float(text)
    except ValueError as error:
        raise Refused(f'FACELMK_LEAST_SPEED is {text!r}; expected a number of bytes a second') from error
    total, received, since = 0, 0, time.monotonic()
    try:
        while block := answer.read1(BLOCK_BYTES):
            total, received = total + len(block), received + len(block)
            yield block
            if (seconds := time.monotonic() - since) > TIMEOUT_S:
                if received < speed * seconds:
                    raise Broken(
                        f'only {received} bytes came in {seconds:.3g} s, below {speed:g} a second (FACELMK_LEAST_SPEED)'
                    )
                received, since = 0, time.monotonic()
    except TimeoutError as error:
        if not total:
            raise
        raise Broken(f'nothing more came for {TIMEOUT_S:g} s') from error


def without_secrets(url: str) -> str:
    """Return an address without name and password and without the text behind the question mark."""
    bare = re.sub(r'//[^/]*@', '//***@', url.partition('?')[0])
    return f'{bare}?...' if '?' in url else bare


def is_temporary(error: Exception) -> bool:
    """Whether the next try may succeed."""
    if isinstance(error, HTTPError):
        return error.code >= 500 or error.code in (408, 429)
    return isinstance(error, (Broken, ConnectionError, HTTPException))


def explain(error: Exception) -> str:
    """Say in plain words why a request failed."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(cause, TimeoutError):
        return f'no answer within {TIMEOUT_S:g} s'
    if isinstance(cause, socket.gaierror):
        return f'the host is not known ({cause.strerror})'
    return str(cause) or type(cause).__name__
