"""Read the frames of a film or a camera with OpenCV, upright and one after the other."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ...datasets.images.pixel_limit import MAX_PIXELS_VARIABLE, pixel_limit
from ...errors import DataDefect, MissingResource
from .containers import AVI, MP4, check_film, is_cut_off

log = logging.getLogger(__name__)
DEFAULT_FPS = 25.0  # where a file or a camera names no frame rate that can be true
MAX_FPS = 1000.0
MAX_FAILURES = 25  # frames in a row that cannot be read before a film ends
CAMERA_WAIT_S = 5.0  # in which a camera must give its next frame
LATE = 1.5  # intervals between two frames after which one is missing
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')  # FFmpeg prints nothing: errors are reported here


class Frame(NamedTuple):
    """A frame (H, W, 3), BGR, its number from 0, and its time in seconds from the first frame."""

    image: NDArray[np.uint8]
    number: int
    time: float


class Film:
    """A film file. Iterating reads its frames once; then `frames` were read and `missing` could not be read.

    `width` and `height` are those of the upright frames, `fps` is the mean frame rate, `count` the number of frames
    that the header names, or 0.
    """

    is_camera = False

    def __init__(self, path: str | Path) -> None:
        self.source: Any = path
        self.kind = check_film(path)
        with silent_opencv():
            self.capture = cv2.VideoCapture(os.fspath(path), cv2.CAP_FFMPEG)
            if not self.capture.isOpened():  # an OpenCV without FFmpeg
                self.capture = cv2.VideoCapture(os.path.abspath(path))
        if not self.capture.isOpened():
            cut = '. It is cut off, and its index, which is written last, is missing' if self.is_cut_off() else ''
            raise DataDefect(f'{path}: no film that OpenCV can open{cut}. Download, copy or convert it again')
        self._read_header()

    def _read_header(self) -> None:
        get = self.capture.get
        self.capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # phones store how the camera was held
        self.width, self.height = int(get(cv2.CAP_PROP_FRAME_WIDTH)), int(get(cv2.CAP_PROP_FRAME_HEIGHT))
        if self.width * self.height > pixel_limit():
            self.close()
            raise DataDefect(
                f'{self.source}: frames of {self.width} x {self.height} pixels, more than {pixel_limit()}. If you '
                f'trust it, set {MAX_PIXELS_VARIABLE} to a larger number'
            )
        fps, count = get(cv2.CAP_PROP_FPS), get(cv2.CAP_PROP_FRAME_COUNT)
        self.fps = float(fps) if 0 < fps <= MAX_FPS else DEFAULT_FPS
        self.count = int(count) if 0 < count < 1 << 40 else 0
        self.frames = self.gaps = self.failures = 0

    def __iter__(self) -> Iterator[Frame]:
        last = -1.0
        while (image := self._next()) is not None:
            now = self._time(last)
            if self.frames:
                self.gaps += max(0, round((now - last) * self.fps) - 1) if now - last > LATE / self.fps else 0
            last, number = now, self.frames
            self.frames += 1
            yield Frame(image, number, now)

    def _next(self) -> NDArray[np.uint8] | None:
        """Return the next frame that can be read; None at the end."""
        failures = 0
        while failures <= MAX_FAILURES:
            done, image = self._grab()
            if done and image is not None and image.size:
                self.failures += failures
                return np.ascontiguousarray(image) if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
            failures += 1
        return None

    def _grab(self) -> tuple[bool, Any]:
        try:
            return self.capture.read()
        except cv2.error:  # a frame of another size, or one too large for the memory
            return False, None

    def _time(self, last: float) -> float:
        """Return the time of the frame that was read; some files and back ends give none, or one that goes back."""
        now = float(self.capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
        if self.frames and not last < now < last + 3600:
            return last + 1 / self.fps
        return now if np.isfinite(now) and 0 <= now < 3600 else 0.0

    @property
    def missing(self) -> int:
        """The number of frames that could not be read, as far as the header or the times show them.

        MP4 and AVI say how many frames they have; for others OpenCV only estimates it. Fewer frames are no defect of an
        MP4 that was trimmed without encoding it again: its times have no gaps.
        """
        fewer = max(0, self.count - self.frames) if self.kind in (MP4, AVI) else 0
        exact = self.kind == AVI or self.is_cut_off()
        return max(self.failures, fewer if exact else min(self.gaps, fewer))

    def is_cut_off(self) -> bool:
        """Whether the file ends too early."""
        try:
            return is_cut_off(self.source, self.kind)
        except OSError:
            return False

    def check(self) -> None:
        """Raise DataDefect if frames could not be read."""
        if not self.frames:
            raise DataDefect(f'{self.source}: no frame of this film can be read. Download, copy or convert it again')
        if missing := self.missing:
            cut = ': the file is cut off' if self.is_cut_off() else ''
            raise DataDefect(
                f'{self.source}: {missing} of {self.frames + missing} frames could not be read{cut}. The '
                'others were used'
            )

    def close(self) -> None:
        """Close the file."""
        self.capture.release()


class Camera(Film):
    """A camera by its number. The time of a frame is that of the clock."""

    is_camera = True

    def __init__(self, number: int) -> None:
        self.source, self.kind = number, 'camera'
        with silent_opencv():
            self.capture = cv2.VideoCapture(number)
        if not self.capture.isOpened():
            raise MissingResource(
                f'camera {number} cannot be opened: there is none, another program uses it, or this user has no right '
                'to it (on Linux: the group video). Cameras are numbered from 0'
            )
        self.capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not the oldest
        self._read_header()
        self.count, self.start = 0, time.monotonic()

    def _next(self) -> NDArray[np.uint8] | None:
        start = time.monotonic()
        while time.monotonic() - start < CAMERA_WAIT_S:
            done, image = self._grab()
            if done and image is not None and image.size:
                return np.ascontiguousarray(image)
            time.sleep(0.01)
        return None

    def _time(self, last: float) -> float:
        if not self.frames:
            self.start = time.monotonic()
        return max(time.monotonic() - self.start, last + 1e-3 if self.frames else 0.0)

    @property
    def missing(self) -> int:
        """A camera that stops has no missing frames."""
        return 0

    def is_cut_off(self) -> bool:
        return False

    def check(self) -> None:
        """Raise MissingResource if the camera gave no frame."""
        if not self.frames:
            raise MissingResource(f'camera {self.source} gives no frame. Check its plug and whether it is covered')


@contextmanager
def silent_opencv() -> Iterator[None]:
    """Let OpenCV print nothing about files and cameras that it cannot open."""
    level = cv2.getLogLevel() if hasattr(cv2, 'getLogLevel') else None
    try:
        if level is not None:
            cv2.setLogLevel(0)
        yield
    finally:
        if level is not None:
            cv2.setLogLevel(level)


@contextmanager
def open_film(source: str | Path | int) -> Iterator[Film]:
    """Open a film, or a camera by its number, until the end of the block."""
    film = Camera(source) if isinstance(source, int) else Film(os.path.expanduser(source))
    try:
        yield film
    finally:
        film.close()


def check_read(film: Film, only_log: bool) -> None:
    """Raise an error for a film with frames that cannot be read; with `only_log`, log it if others were read."""
    try:
        film.check()
    except DataDefect as error:
        if not (only_log and film.frames):
            raise
        log.warning(str(error))
