"""HTTP and HTTPS requests with time-outs for a connection, for all headers, and a minimum speed for the body."""

import os
import re
import ssl
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import gaierror
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from .body import PACKED, PLAIN, Broken, Deadline, Refused, Response, read_body

TIMEOUT_S = 30.0  # for a connection, for all headers, and without a byte or below the minimum speed
MIN_SPEED = 1000  # bytes a second; $FACELMK_LEAST_SPEED replaces it, 0 waits for the slowest server


class _Limited(HTTPConnection):
    """Python's time-out starts again with each byte; these are for a connection and for all headers together."""

    response_class = Response

    def connect(self) -> None:
        self.limit(super().connect)

    def getresponse(self) -> HTTPResponse:
        answer: HTTPResponse = self.limit(super().getresponse)
        return answer

    def limit(self, function: Callable[[], Any]) -> Any:
        with Deadline(TIMEOUT_S, lambda: self.sock) as deadline:
            try:
                return function()
            finally:
                if deadline.expired:  # Python may take the end of the stream for the end of the headers
                    raise TimeoutError


class _LimitedSecure(_Limited, HTTPSConnection):
    """The same with TLS; Python greets each server with the same time-out for every byte."""

    def connect(self) -> None:
        self.limit(self.greet)

    def greet(self) -> None:
        HTTPConnection.connect(self)
        context: ssl.SSLContext = self._context  # type: ignore[attr-defined]
        name = getattr(self, '_tunnel_host', None) or self.host
        self.sock = context.wrap_socket(self.sock, server_hostname=name, do_handshake_on_connect=False)
        self.sock.do_handshake()


class _Connect(HTTPHandler, HTTPSHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Limited, req)

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_LimitedSecure, req, context=self._context)  # type: ignore[attr-defined]


class _Redirect(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if req.type == 'https' and urlsplit(newurl).scheme != 'https':
            raise Refused(f'it leads from https:// to {without_secrets(newurl)}, which is not followed')
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_url(request: Request) -> Response:
    """Return the answer, if it has status 200 or 206 and a body that is no web page; follow redirects."""
    _check_address(request.full_url)
    answer = build_opener(_Connect, _Redirect).open(request, timeout=TIMEOUT_S)
    try:
        _check_answer(answer)
    except Refused:
        answer.close()
        raise
    return answer  # type: ignore[no-any-return]


def read_blocks(answer: Response) -> Iterator[bytes]:
    """Yield the unpacked body as it arrives; raise Broken if it is slower than the minimum speed."""
    text = os.environ.get('FACELMK_LEAST_SPEED') or str(MIN_SPEED)
    try:
        return read_body(answer, TIMEOUT_S, float(text))
    except ValueError as error:
        raise Refused(f'FACELMK_LEAST_SPEED is {text!r}; expected a number of bytes a second') from error


def read_url(url: str, limit: int) -> bytes:
    """Return what a URL holds; if that is more than `limit` bytes, its beginning, which is longer than `limit`."""
    content = bytearray()
    with open_url(Request(url, headers={'Accept-Encoding': 'identity'})) as answer:
        for block in read_blocks(answer):
            content += block
            if len(content) > limit:
                break
    return bytes(content)


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ('http', 'https'):
        raise Refused(f'{without_secrets(url)} does not begin with http:// or https://')
    if '@' in parts.netloc:
        raise Refused('names and passwords in an address are not used')


def _check_answer(answer: Response) -> None:
    for coding in answer.codings():
        if coding not in PLAIN + PACKED:
            raise Refused(f'it comes packed as {coding}, which is not unpacked')
    if len(lengths := set(answer.headers.get_all('Content-Length', []))) > 1:
        raise Refused(f'the answer gives several lengths: {", ".join(sorted(lengths))}')
    if 'chunked' in answer.codings() and not answer.chunked:  # Python knows no other coding beside it
        answer.chunked, answer.chunk_left, answer.length = True, None, None  # type: ignore[attr-defined]
    if answer.status not in (200, 206) or answer.length == 0:
        raise Refused(f'the answer is empty (status {answer.status})')
    if answer.headers.get_content_type() == 'text/html':
        raise Refused('a web page came in its place; a network that wants a log-in answers so')


def without_secrets(url: str) -> str:
    """Return an address without name and password and without the text behind the question mark."""
    address, mark, _ = re.split('([?#])', f'{url}?', maxsplit=1)
    bare = re.sub(r'//.*@', '//***@', address)
    return f'{bare}{mark}...' if len(address) < len(url) else bare


def hide_secrets(text: str, url: str) -> str:
    """Return a message about a URL without what `without_secrets` leaves out of the URL."""
    address, *secrets = re.split('[?#]', url)
    for part in re.findall(r'//(.*)@', address):
        secrets += re.split('[:/]', part)
    for secret in secrets:
        text = text.replace(secret, '...') if len(secret) > 3 else text
    return text


def is_temporary(error: Exception) -> bool:
    """Whether the next try may succeed."""
    if isinstance(error, HTTPError):
        return error.code >= 500 or error.code in (408, 429)
    return isinstance(_cause(error), (Broken, ConnectionError, HTTPException, ssl.SSLEOFError))


def _cause(error: Exception) -> Exception:
    return error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error


def explain(error: Exception) -> str:
    """Say in plain words why a request failed."""
    cause = _cause(error)
    if isinstance(cause, TimeoutError):
        return f'no answer within {TIMEOUT_S:g} s'
    if isinstance(cause, gaierror):
        return f'the host is not known ({cause.strerror})'
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f'the certificate of the server is not trusted ({cause.verify_message}). If your network replaces '
            'certificates, set SSL_CERT_FILE to those that it uses'
        )
    if isinstance(cause, ssl.SSLError):
        return f'the server does not speak TLS as https:// needs it ({cause.reason or cause})'
    return str(cause) or type(cause).__name__
