"""HTTP and HTTPS requests with a time-out for the whole header and a minimum speed for the body."""

import errno
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

TIMEOUT_S = 30.0  # for a connection, for all headers, and without a byte or below the minimum speed
MIN_SPEED = 1000  # bytes a second; $FACELMK_LEAST_SPEED replaces it, 0 waits for the slowest server
BLOCK_BYTES = 1 << 20
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Refused(OSError):
    """An answer that another try will not change."""


class NoRoom(OSError):
    """The disk is full: no other address helps."""


class Broken(OSError):
    """A transfer that may succeed when it is tried again."""


class _HeaderTimeout(HTTPConnection):
    """Python's time-out starts again with each byte; this one is for all headers together."""

    def getresponse(self) -> HTTPResponse:
        expired = threading.Event()
        timer = threading.Timer(TIMEOUT_S, self._stop, [expired])
        timer.start()
        try:
            answer = super().getresponse()
            if expired.is_set():  # Python takes the end of the stream for the end of the headers
                raise TimeoutError
            return answer
        except (OSError, HTTPException, ValueError) as error:
            if expired.is_set():
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()

    def _stop(self, expired: threading.Event) -> None:
        expired.set()
        if self.sock:
            self.sock.shutdown(socket.SHUT_RDWR)


class _SecureHeaderTimeout(_HeaderTimeout, HTTPSConnection):
    """The same with TLS."""


class _Http(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_HeaderTimeout, req)


class _Https(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_SecureHeaderTimeout, req, context=self._context)  # type: ignore[attr-defined]


class _WebOnly(HTTPRedirectHandler):
    """Follow redirects to http and https alone, and none from https to http."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in ('http', 'https') or (req.type == 'https' and scheme == 'http'):
            raise Refused(f'it leads from {req.type}:// to {without_secrets(newurl)}, which is not followed')
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = HTTPRedirectHandler.http_error_302


class Opener(OpenerDirector):
    """Open http and https addresses, nothing else."""

    def open(self, fullurl: str | Request, data: Any = None, timeout: float | None = None) -> HTTPResponse:  # type: ignore[override]
        """Return the answer, if it has status 200 or 206 and a plain body that is no web page."""
        request = Request(fullurl) if isinstance(fullurl, str) else fullurl
        if request.type not in ('http', 'https'):
            raise Refused(f'{without_secrets(request.full_url)} does not begin with http:// or https://')
        if '@' in urlsplit(request.full_url).netloc:
            raise Refused('names and passwords in an address are not used')
        answer = super().open(request, data, TIMEOUT_S if timeout is None else timeout)
        assert isinstance(answer, HTTPResponse)
        try:
            _check_answer(answer)
        except Refused:
            answer.close()
            raise
        return answer


def _check_answer(answer: HTTPResponse) -> None:
    packed = [answer.headers.get('Content-Encoding', 'identity'), answer.headers.get('Transfer-Encoding', 'chunked')]
    if packed[0].lower() != 'identity' or packed[1].lower() not in ('chunked', 'identity'):
        raise Refused(
            f'it comes packed as {packed[0] if packed[0] != "identity" else packed[1]}, which is not unpacked'
        )
    if answer.status not in (200, 206) or answer.length == 0:
        raise Refused(f'the answer is empty (status {answer.status})')
    if answer.headers.get_content_type() == 'text/html':
        raise Refused('a web page came in its place; a network that wants a log-in answers so')


def opener() -> Opener:
    """Return an opener for http and https, with proxies and redirects."""
    made = Opener()
    for handler in (ProxyHandler, _Http, _Https, HTTPDefaultErrorHandler, HTTPErrorProcessor, _WebOnly):
        made.add_handler(handler())
    return made


def read_blocks(answer: HTTPResponse) -> Iterator[bytes]:
    """Yield the body as it arrives; raise Broken if it comes more slowly than the minimum speed."""
    speed = _min_speed()
    received = marked = 0
    since = time.monotonic()
    try:
        while block := answer.read1(BLOCK_BYTES):
            received += len(block)
            yield block
            if (seconds := time.monotonic() - since) > TIMEOUT_S:
                if received - marked < speed * seconds:
                    raise Broken(
                        f'only {received - marked} bytes came in {seconds:.3g} s, below {speed:g} a second '
                        '(FACELMK_LEAST_SPEED)'
                    )
                marked, since = received, time.monotonic()
    except TimeoutError as error:
        if not received:
            raise
        raise Broken(f'nothing more came for {TIMEOUT_S:g} s') from error


def _min_speed() -> float:
    text = os.environ.get('FACELMK_LEAST_SPEED', '')
    try:
        return float(text) if text else MIN_SPEED
    except ValueError as error:
        raise Refused(f'FACELMK_LEAST_SPEED is {text!r}; expected a number of bytes a second') from error


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
