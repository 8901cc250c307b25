"""A web server on this machine that behaves as a test wants, child processes, and what a refused download must say."""

import hashlib
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from facelmk.errors import MissingResource
from facelmk.files.download import cached, fetch

CONTENT = (b'\x80\x02' + bytes(range(256)) * 2000)[:512_000]  # as the pickles of old files of torch begin
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f'hrnet-{DIGEST[:8]}_20210125.pth'


class Answer(BaseHTTPRequestHandler):
    """Does what the server's `behaviour` says for each request, and notes path and range."""

    protocol_version = 'HTTP/1.1'
    server: 'Server'

    def log_message(self, *args: object) -> None:
        """Write no log."""

    def do_GET(self) -> None:
        """Note the request and answer as the test wants."""
        self.close_connection = True
        self.server.asked.append((self.path, self.headers.get('Range', '')))
        with suppress(ConnectionError):  # the client may have left
            self.server.behaviour(self)

    def head(self, status: int, length: int | None = None, **headers: str) -> None:
        """Status and headers; _ in their names stands for -."""
        self.send_response(status)
        if length is not None:
            self.send_header('Content-Length', str(length))
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()

    def whole(self) -> None:
        """Send the file, or the bytes that were asked for."""
        begin = int(self.headers.get('Range', 'bytes=0-')[6:].split('-')[0])
        rest = CONTENT[begin:]
        span = {'Content_Range': f'bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}'} if begin else {}
        self.head(206 if begin else 200, len(rest), ETag='"a"', **span)
        self.wfile.write(rest)

    def half(self) -> None:
        """Send the first half."""
        self.head(200, len(CONTENT), ETag='"a"')
        self.wfile.write(CONTENT[: len(CONTENT) // 2])
        self.wfile.flush()

    def reset(self) -> None:
        """Reset the connection, as a broken router does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.connection.shutdown(socket.SHUT_WR)


class Server(ThreadingHTTPServer):
    """A server that keeps a list of its requests."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, behaviour: Callable[[Answer], None]) -> None:
        super().__init__(('127.0.0.1', 0), Answer)
        self.behaviour, self.asked = behaviour, []
        self.address = f'http://127.0.0.1:{self.server_port}'


@contextmanager
def serving(behaviour: Callable[[Answer], None]) -> Iterator[Server]:
    """Run a server."""
    with Server(behaviour) as server:
        Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def child(work: Callable[[], object]) -> tuple[int, int]:
    """(process id, end of a pipe to read what `work` returned or raised) of a fork of this process."""
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            text = f'{work()}'
        except BaseException as error:
            text = f'{type(error).__name__}: {error}'
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    return process, read


def answer_of(process: int, read: int) -> str:
    """What a child returned or raised, after its end."""
    with os.fdopen(read, 'rb') as file:
        text = file.read().decode()
    os.waitpid(process, 0)
    return text


def assert_refused(url: str, *words: str, **options: object) -> str:
    """Fetching fails with exit code 3, the message has URL, path, hash and these words, and no file has its name."""
    with pytest.raises(MissingResource) as error:
        fetch(url, **options)
    text = str(error.value)
    digest = (f'must begin with {DIGEST[:8]}',) if NAME in url else ()
    assert all(word in text for word in (url, str(cached(url)), 'FACELMK_HOME', 'give its path', *digest, *words)), text
    assert error.value.exit_code == 3 and not cached(url).exists()
    return text


def file_names(folder: Path) -> list[str]:
    """The files in a folder, if it is there."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
