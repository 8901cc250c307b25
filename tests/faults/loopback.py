"""A web server on this machine that misbehaves as told, and children to be killed or kept from root's rights."""

import hashlib
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

CONTENT = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f'hrnet-{DIGEST[:8]}_20210125.pth'


class Answer(BaseHTTPRequestHandler):
    """Does what the server's `behaviour` says for each request, and notes path and range."""

    protocol_version = 'HTTP/1.1'
    server: 'Server'

    def log_message(self, *args: object) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        """Answer as the test wants it."""
        self.close_connection = True
        self.server.asked.append((self.path, self.headers.get('Range', '')))
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
        """The file, or the rest that was asked for."""
        begin = int(self.headers.get('Range', 'bytes=0-')[6:].split('-')[0])
        rest = CONTENT[begin:]
        span = {'Content_Range': f'bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}'} if begin else {}
        self.head(206 if begin else 200, len(rest), ETag='"a"', **span)
        self.wfile.write(rest)

    def half(self) -> None:
        """The first half, and a reset."""
        self.head(200, len(CONTENT), ETag='"a"')
        self.wfile.write(CONTENT[: len(CONTENT) // 2])
        self.wfile.flush()

    def reset(self) -> None:
        """Cut the line, as a broken router does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.connection.shutdown(socket.SHUT_WR)


class Server(ThreadingHTTPServer):
    """Counts what it is asked for."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, behaviour: Callable[[Answer], None]) -> None:
        super().__init__(('127.0.0.1', 0), Answer)
        self.behaviour, self.asked = behaviour, []
        self.address = f'http://127.0.0.1:{self.server_port}'


@contextmanager
def serving(behaviour: Callable[[Answer], None]) -> Iterator[Server]:
    """A server at work."""
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
    """What a child said, after its end."""
    with os.fdopen(read, 'rb') as file:
        text = file.read().decode()
    os.waitpid(process, 0)
    return text
