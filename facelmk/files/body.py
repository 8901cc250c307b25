"""The body of an HTTP answer, unpacked, with a minimum speed; whether a file that came without a length is whole."""

import contextlib
import json
import os
import re
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any, BinaryIO

from .zip_end import check_zip_end

BLOCK_BYTES = 1 << 20
PLAIN = ('', 'identity', 'chunked')
PACKED = ('gzip', 'x-gzip', 'deflate')
MAX_SAFETENSORS_HEADER = 1 << 25


class Refused(OSError):
    """An answer that another try will not change."""


class Broken(OSError):
    """A transfer that may succeed when it is tried again."""


class Response(HTTPResponse):
    """An answer that keeps its socket, so that another thread can end it."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.socket = sock

    def codings(self) -> list[str]:
        """What the body is packed in, the outermost first."""
        names = [self.headers.get('Transfer-Encoding', ''), self.headers.get('Content-Encoding', '')]
        return [word.strip() for name in names for word in reversed(name.lower().split(','))]

    @property
    def is_packed(self) -> bool:
        """Whether the body is longer than what arrives, with an end of its own."""
        return not set(self.codings()).isdisjoint(PACKED)


class Deadline(threading.Thread):
    """Ends a connection that brings fewer than `least` bytes in the time-out, and again in the next one."""

    def __init__(self, seconds: float, connection: Callable[[], socket.socket | None], least: float = 1) -> None:
        super().__init__(daemon=True)
        self.seconds, self.connection, self.least = seconds, connection, least
        self.bytes, self.expired = 0, False
        self.over = threading.Event()

    def __enter__(self) -> 'Deadline':
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()

    def run(self) -> None:
        while not self.over.wait(self.seconds):
            if self.bytes < self.least:
                self.expired = True
                return self.end()
            self.bytes = 0

    def end(self) -> None:
        """End what another thread waits for, below TLS, whose own end could wait, too."""
        if connection := self.connection():
            with contextlib.suppress(OSError):  # it has ended
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


def read_body(answer: Response, timeout_s: float, speed: float) -> Iterator[bytes]:
    """Yield the unpacked body as it arrives; raise Broken if it ends early or brings fewer than `speed` bytes/s."""
    blocks = _arriving(answer, timeout_s, speed)
    for coding in answer.codings():
        blocks = _unpack(blocks, coding) if coding in PACKED else blocks
    return blocks


def _arriving(answer: Response, timeout_s: float, speed: float) -> Iterator[bytes]:
    total, cause = 0, None
    with Deadline(timeout_s, lambda: answer.socket, speed * timeout_s) as deadline:
        try:
            while block := answer.read1(BLOCK_BYTES):
                total, deadline.bytes = total + len(block), deadline.bytes + len(block)
                yield block
        except (OSError, ValueError, HTTPException) as error:
            if not (deadline.expired or isinstance(error, TimeoutError)):
                raise
            cause = error
    if (cause or deadline.expired) and not total:
        raise TimeoutError from cause
    if deadline.expired:
        raise Broken(
            f'only {deadline.bytes} bytes came in {timeout_s:.3g} s, below {speed:g} a second (FACELMK_LEAST_SPEED)'
        ) from cause
    if cause:
        raise Broken(f'nothing more came for {timeout_s:g} s') from cause
    if answer.length:
        raise Broken(f'it broke off after {total} of {total + answer.length} bytes')


def _unpack(blocks: Iterator[bytes], coding: str) -> Iterator[bytes]:
    """The content of gzip or zlib, of one block's size at a time however much a block unpacks to."""
    unpacker, empty = zlib.decompressobj(zlib.MAX_WBITS | 32), True
    try:
        for block in blocks:
            while block:
                if unpacker.eof:  # gzip may consist of several members
                    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
                yield unpacker.decompress(block, BLOCK_BYTES)
                block, empty = unpacker.unconsumed_tail or unpacker.unused_data, False
        yield unpacker.flush()
    except zlib.error as error:
        raise Refused(f'it comes packed as {coding}, but cannot be unpacked: {error}') from error
    if not (unpacker.eof or empty):
        raise Broken(f'it comes packed as {coding} and ends too early')


def check_whole(file: BinaryIO, ends: bool) -> None:
    """Refuse what is no whole file of weights: for files without a hash. `ends` says that the server gave the length.

    A zip and a safetensors file show their end; a pickle, which older versions of torch wrote, does not.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(9)
    if start.startswith(b'PK\3\4'):
        whole = _is_whole_zip(file, size)
    elif start[8:] == b'{' and (length := int.from_bytes(start[:8], 'little')) <= MAX_SAFETENSORS_HEADER:
        file.seek(8)
        whole = _end_of_tensors(file.read(length)) + length + 8 == size
    elif not start.startswith(b'\x80'):
        raise Refused(f'it begins with {start!r}, which no file of weights does')
    elif not ends:
        raise Refused('the server does not say how long it is, and neither a hash nor its format shows its end')
    else:
        whole = True
    if not whole:
        raise Broken(f'it ends within its content, after {size} bytes')


def _is_whole_zip(file: BinaryIO, size: int) -> bool:
    with contextlib.suppress(ValueError):
        check_zip_end(file, size)
        return True
    return False


def _end_of_tensors(header: bytes) -> int:
    try:
        entries = json.loads(header).values()
        return max([0, *(entry['data_offsets'][1] for entry in entries if 'data_offsets' in entry)])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return -1


def check_no_page(file: BinaryIO) -> None:
    """Refuse a web page, whatever type the server says that it has."""
    file.seek(0)
    start = file.read(64)
    if re.match(rb'(\xef\xbb\xbf)?\s*<[!?a-zA-Z]', start) and b'\0' not in start:
        raise Refused('a web page came in its place; a network that wants a log-in answers so')
