"""The head of a request: the first line and the headers, read strictly."""

import io
import re
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, parse_headers
from urllib.parse import parse_qsl

from .answers import Refusal

FIRST_LINE = re.compile(r'([A-Z]{1,20}) (\S{1,4096}) HTTP/1\.([01])')
LENGTH = re.compile(r'[0-9]{1,15}')
MAX_FIELDS = 10  # of a query


@dataclass(frozen=True)
class Request:
    """One request without its body. `length` is what Content-Length promises, None without one."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    keep_alive: bool
    length: int | None

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head."""
        return bool(self.length) or 'Transfer-Encoding' in self.headers

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        return self.headers.get('Expect', '').lower() == '100-continue'

    def header(self, name: str) -> str:
        """Return a header that may be given once; '' without it."""
        values = self.headers.get_all(name, [])
        if len(values) > 1:
            raise Refusal(400, f'The header {name} is given {len(values)} times. Expected one')
        return str(values[0]).strip() if values else ''


def parse_head(head: bytes) -> Request:
    """Return the request whose head, up to the empty line, is in these bytes."""
    first, _, rest = head.partition(b'\r\n')
    line = FIRST_LINE.fullmatch(first.decode('latin-1'))
    if line is None:
        raise Refusal(400, 'The first line is no request of HTTP/1.0 or HTTP/1.1')
    method, target, minor = line.groups()
    headers = _headers(rest)
    path, _, query = target.partition('?')
    if not path.startswith('/'):
        raise Refusal(400, 'The address does not begin with /')
    connection = headers.get('Connection', '').lower()
    keep_alive = 'close' not in connection if minor == '1' else 'keep-alive' in connection
    return Request(method, path, _fields(query), headers, keep_alive, _length(headers))


def _headers(lines: bytes) -> Message:
    try:
        headers = parse_headers(io.BytesIO(lines))
    except (HTTPException, ValueError) as error:  # more than 100 headers
        raise Refusal(431, 'There are too many headers. Send at most 100') from error
    if headers.defects or re.search(rb'\r[^\n]|[^\r]\n|\0', lines):
        raise Refusal(400, 'The headers are damaged. Expected one "Name: value" a line')
    return headers


def _fields(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors='strict', max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise Refusal(400, f'The query after ? is damaged, or has more than {MAX_FIELDS} values') from error
    if len(pairs) != len(dict(pairs)):
        raise Refusal(400, 'A name is given twice in the query after ?')
    return dict(pairs)


def _length(headers: Message) -> int | None:
    values = headers.get_all('Content-Length', [])
    if not values:
        return None
    text = str(values[0]).strip()
    if len(values) > 1 or not LENGTH.fullmatch(text) or 'Transfer-Encoding' in headers:
        raise Refusal(400, f'Content-Length: {", ".join(map(str, values))[:50]}. Expected one number of bytes')
    return int(text)
