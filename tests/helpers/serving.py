"""A server in a thread of this process, with a predictor that is quick, and clients for it."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facelmk.inference.detectors.base import Detector, OtherDetector
from facelmk.inference.stream import PicturePredictor, Row
from facelmk.markups import MARKUPS
from facelmk.serve import Limits, ServedModels, Server

JPEG = {'Content-Type': 'image/jpeg'}
PATIENCE_S = 20


class QuickPredictor(PicturePredictor):
    """Finds one face of five points in each picture that is not grey throughout, after `delay_s`."""

    def __init__(self, delay_s: float = 0.0) -> None:
        super().__init__(MARKUPS['five'], 16, None)
        self.delay_s = delay_s
        self.pictures = 0

    def find_detector(self, spec: Any) -> Detector:
        return OtherDetector(lambda image: [[2, 3, 12, 13]] if np.ptp(image) else [])

    def predict_boxes(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        time.sleep(self.delay_s)
        self.pictures += 1
        points = [[box[0] + i, box[1] + i] for i in range(5) for box in [rows[0][1]]]
        return [{'landmarks': np.array(points, np.float32), 'scores': np.full(5, 0.5, np.float32)} for _ in rows]


def picture(side: int = 16, suffix: str = '.jpg') -> bytes:
    """The bytes of a picture that is not grey throughout."""
    image = np.zeros((side, side, 3), np.uint8)
    image[: side // 2] = 255
    return bytes(cv2.imencode(suffix, image)[1])


@contextmanager
def serving(predictor: PicturePredictor | None = None, **limits: Any) -> Iterator[Server]:
    """A running server, which ends without a thread or a connection that stays."""
    models = ServedModels(['quick'], lambda name: predictor or QuickPredictor())
    with running(Server(models, limits=Limits(**limits))) as server:
        yield server


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Run a server in a thread."""
    ready, before = threading.Event(), set(threading.enumerate())
    thread = threading.Thread(target=server.run, args=(ready.set,))
    thread.start()
    assert ready.wait(PATIENCE_S)
    try:
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive() and not server.tasks and server.memory.used == 0
        assert {one for one in threading.enumerate() if one.name == 'facelmk-serve'} <= before


def ask(
    server: Server, method: str, path: str, body: Any = None, headers: Any = None, timeout: float = PATIENCE_S
) -> tuple[int, dict[str, str], bytes]:
    """Send one request in a connection of its own; return status, headers (in small letters) and body."""
    connection = HTTPConnection('127.0.0.1', server.port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def predict(server: Server, content: bytes, query: str = '', **headers: str) -> tuple[int, dict[str, Any]]:
    """Send a picture; return status and JSON."""
    status, _, body = ask(server, 'POST', f'/api/predict{query}', content, JPEG | headers)
    return status, json.loads(body)


def connect(server: Server, timeout: float = PATIENCE_S) -> socket.socket:
    """Return a plain connection."""
    return socket.create_connection(('127.0.0.1', server.port), timeout)


def send_raw(server: Server, content: bytes, end: bool = False) -> bytes:
    """Send bytes and return all that comes back until the server closes the connection."""
    with connect(server) as plain:
        plain.sendall(content)
        if end:
            plain.shutdown(socket.SHUT_WR)
        return read_all(plain)


def read_all(plain: socket.socket) -> bytes:
    """Return what comes until the connection ends."""
    blocks = []
    while block := plain.recv(1 << 16):
        blocks.append(block)
    return b''.join(blocks)


def resident_bytes() -> int:
    """The memory of this process, as the system counts it."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096
