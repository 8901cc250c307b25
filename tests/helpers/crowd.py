"""Many clients of one server at once: good ones, slow ones, broken ones."""

import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Any

import numpy as np

HEAD = b'POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n'
RESET = struct.pack('ii', 1, 0)  # SO_LINGER: closing resets the connection
PAUSE_S = 0.02


class Crowd:
    """Clients of the server at a port. `picture` is what the good ones send; each sends `rounds` of them."""

    def __init__(self, port: int, picture: bytes, rounds: int) -> None:
        self.port, self.picture, self.rounds = port, picture, rounds
        self.statuses: Counter[Any] = Counter()  # of good requests
        self.others: Counter[str] = Counter()  # what broken clients did
        self.seconds: list[float] = []
        self.ended = threading.Event()

    def run(self, good: int = 20, of_each: int = 2) -> None:
        """Let good clients work, and 6 times `of_each` others beside them until the good ones are ready."""
        broken = [self.slow, self.vanishing, self.resetting, self.garbage, self.greedy, self.deaf]
        others = [threading.Thread(target=self._repeat, args=(act,)) for act in broken * of_each]
        workers = [threading.Thread(target=self.good) for _ in range(good)]
        for thread in (*others, *workers):
            thread.start()
        for thread in workers:
            thread.join()
        self.ended.set()
        for thread in others:
            thread.join()

    def _repeat(self, act: Callable[[socket.socket], None]) -> None:
        while not self.ended.is_set():
            with suppress(OSError), socket.create_connection(('127.0.0.1', self.port), 5) as plain:
                act(plain)
            self.others[act.__name__] += 1
            time.sleep(PAUSE_S)

    def good(self) -> None:
        """Send pictures through one connection, as a program would."""
        connection = HTTPConnection('127.0.0.1', self.port, timeout=120)
        for _ in range(self.rounds):
            start = time.monotonic()
            try:
                connection.request('POST', '/api/predict', self.picture, {'Content-Type': 'image/jpeg'})
                answer = connection.getresponse()
                found = b'"landmarks"' in answer.read()
                self.statuses[answer.status if found or answer.status != 200 else 'no face'] += 1
            except (OSError, HTTPException) as error:
                self.statuses[repr(error)] += 1
                connection.close()
            self.seconds.append(time.monotonic() - start)
        connection.close()

    def slow(self, plain: socket.socket) -> None:
        """Send a byte now and then."""
        for byte in HEAD + b'Content-Length: 100000\r\n\r\n' + bytes(1000):
            if self.ended.wait(PAUSE_S):
                return
            plain.sendall(bytes([byte]))

    def vanishing(self, plain: socket.socket) -> None:
        """Go away in the middle of a picture."""
        plain.sendall(HEAD + b'Content-Length: 100000\r\n\r\n' + self.picture[:5000])

    def resetting(self, plain: socket.socket) -> None:
        """Reset the connection when the picture is being worked on."""
        plain.sendall(HEAD + b'Content-Length: %d\r\n\r\n' % len(self.picture) + self.picture)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def garbage(self, plain: socket.socket) -> None:
        """Send bytes of no protocol."""
        plain.sendall(random.randbytes(random.randint(1, 60_000)))
        plain.settimeout(0.2)
        plain.recv(4096)

    def greedy(self, plain: socket.socket) -> None:
        """Send more than is allowed."""
        plain.sendall(HEAD + b'Content-Length: 900000000\r\n\r\n' + bytes(300_000))
        plain.recv(4096)

    def deaf(self, plain: socket.socket) -> None:
        """Ask for much, and read nothing of it."""
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.sendall(b'GET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n' * 50)
        self.ended.wait(1)

    def summary(self) -> str:
        """Return what happened, in a line."""
        middle, slowest = np.quantile(self.seconds, [0.5, 1])
        return (
            f'good: {dict(self.statuses)}, median {middle:.3f} s, slowest {slowest:.3f} s; others: {dict(self.others)}'
        )
