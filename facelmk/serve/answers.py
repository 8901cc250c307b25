"""What the server sends: JSON, the files of the page, and the headers that keep other web pages out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

JSON = 'application/json'
FOLDER = Path(__file__).parent / 'page'
TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.svg': 'image/svg+xml',
}
POLICY = (  # the page loads its own files and nothing else; no script or style is inline
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(self), microphone=(), geolocation=()',
}


@dataclass(frozen=True)
class Answer:
    """One answer: its status, its bytes and their type."""

    status: int
    body: bytes
    type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_bytes(self, keep_alive: bool, with_body: bool = True) -> bytes:
        """Return what goes through the connection; an answer to HEAD has no body."""
        headers = {
            'Content-Type': self.type,
            'Content-Length': str(len(self.body)),
            'Cache-Control': 'no-store' if self.type == JSON else 'no-cache',
            'Connection': 'keep-alive' if keep_alive else 'close',
            **HEADERS,
            **self.headers,
        }
        lines = [f'HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}']
        lines += [f'{name}: {value}' for name, value in headers.items()]
        return '\r\n'.join([*lines, '', '']).encode('latin-1') + (self.body if with_body else b'')


class Refusal(Exception):
    """A request that is not answered as asked: the status, and a sentence for its sender."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace('_', '-'): value for name, value in headers.items()}

    def answer(self) -> Answer:
        """Return the sentence as JSON."""
        return as_json({'status': self.status, 'error': str(self)}, self.status, self.headers)


def as_json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer in JSON."""
    return Answer(status, json.dumps(content).encode(), headers=headers or {})


def read_page() -> dict[str, Answer]:
    """Return the files of the page by their paths; '/' is index.html."""
    files = {f'/{path.name}': path for path in FOLDER.iterdir() if path.suffix in TYPES}
    answers = {name: Answer(200, path.read_bytes(), TYPES[path.suffix]) for name, path in files.items()}
    return {'/': answers.pop('/index.html')} | answers
