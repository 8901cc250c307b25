"""Write a film of drawings: with PyAV, which keeps sound and times, or with OpenCV alone."""

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import FacelmkError, UnwritableOutput
from .read import Film, silent_opencv

CODEC = 'mp4v'  # MPEG-4 part 2, the only codec for .mp4 in OpenCV's packages
MAX_REPEATED = 250  # frames that fill one gap in the times
NO_SOUND = 'The sound of films is not copied without PyAV: pip install av'


class Writer(Protocol):
    """Writes frames (H, W, 3), BGR, with their times in seconds, into one file."""

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Add a frame."""

    def close(self) -> None:
        """Complete the file."""


class OpenCVWriter:
    """Writes a film with a constant frame rate: a frame is repeated or left out, so that it appears at its time."""

    def __init__(self, path: Path, film: Film) -> None:
        self.path, self.fps, self.written = path, film.fps, 0
        self.writer: Any = None
        self.size = (0, 0)

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Add a frame at a time in seconds."""
        if self.writer is None:
            self._open(image)
        if image.shape[1::-1] != self.size:
            image = np.asarray(cv2.resize(image, self.size), np.uint8)
        until = math.floor(time * self.fps + 0.5) + 1
        for _ in range(min(until - self.written, MAX_REPEATED)):
            self.writer.write(image)
            self.written += 1

    def _open(self, image: NDArray[np.uint8]) -> None:
        height, width = image.shape[:2]
        self.size = width, height
        with silent_opencv():
            fourcc = cv2.VideoWriter.fourcc(*CODEC)
            self.writer = cv2.VideoWriter(os.fspath(self.path), fourcc, self.fps, self.size)
        if not self.writer.isOpened():
            raise FacelmkError(
                f'OpenCV cannot write {self.path.name} with frames of {width} x {height} at {self.fps:g} a second. '
                'Install PyAV (pip install av), or write numbers: --out NAME.json'
            )

    def close(self) -> None:
        """Complete the file, and check it: OpenCV says nothing about a full disk."""
        if self.writer is None:
            return
        self.writer.release()
        capture = cv2.VideoCapture(os.fspath(self.path))
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 0
        capture.release()
        if count < self.written:
            reason = f'OpenCV wrote {int(count)} of {self.written} frames, and the disk may be full'
            raise UnwritableOutput(self.path, OSError(errno.ENOSPC, reason))


def has_pyav() -> bool:
    """Whether PyAV is installed; it is not imported."""
    return find_spec('av') is not None


@contextmanager
def open_writer(path: Path, film: Film) -> Iterator[Writer]:
    """Open the writer of an .mp4 for the drawings of a film; the file is complete after the block, or not there."""
    if has_pyav():
        from .av_writer import AVWriter  # PyAV is an extra

        writer: Writer = AVWriter(path, film)
    else:
        writer = OpenCVWriter(path, film)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield writer
        writer.close()
    except BaseException:
        with suppress(Exception):  # the error that ended the film is raised
            writer.close()
        path.unlink(missing_ok=True)
        raise
