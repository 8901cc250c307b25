"""Write a film with PyAV: H.264, each frame at its own time, and the sound of the original."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MissingResource, UnwritableOutput
from .read import Film

TICKS = 90_000  # of the film's clock in a second, as MPEG has it
QUALITY = {'crf': '20', 'preset': 'veryfast'}  # of x264
COPIED = ('aac', 'mp3', 'ac3', 'eac3', 'alac', 'opus', 'mp2')  # sound that an .mp4 takes as it is
SOUND_CODEC = 'aac'  # for all other sound


class AVWriter:
    """Writes frames as H.264 and copies the sound of the film, or encodes it again if an .mp4 cannot hold it."""

    def __init__(self, path: Path, film: Film) -> None:
        self.path, self.film, self.av = path, film, import_av()
        self.container: Any = None
        self.stream: Any = None
        self.sound: Sound | None = None
        self.last = -1

    def write(self, image: NDArray[np.uint8], time: float) -> None:
        """Add a frame at a time in seconds."""
        with translate_av_errors(self.path):
            if self.last < 0:
                self._start(image)
            frame = self.av.VideoFrame.from_ndarray(_even(image), format='bgr24')
            self.last = max(self.last + 1, round(time * TICKS))
            frame.pts, frame.time_base = self.last, Fraction(1, TICKS)
            self._put(self.container, frame, time)

    def _start(self, image: NDArray[np.uint8]) -> None:
        """Open the file, its pictures and its sound, before the header is written."""
        self.container = self.av.open(str(self.path), 'w', format='mp4')
        rate = Fraction(self.film.fps).limit_denominator(1001)
        self.stream = self.container.add_stream('libx264', rate=rate, options=QUALITY)
        self.stream.pix_fmt = 'yuv420p'
        self.stream.codec_context.time_base = Fraction(1, TICKS)
        self.stream.height, self.stream.width = _even(image).shape[:2]
        if not self.film.is_camera:
            self.sound = open_sound(str(self.film.source), self.container)

    def _put(self, container: Any, frame: Any, time: float) -> None:
        for packet in self.stream.encode(frame):
            container.mux(packet)
        if self.sound is not None:
            self.sound.write(time)

    def close(self) -> None:
        """Encode the last frames and complete the file."""
        if self.container is None:
            return
        container, self.container = self.container, None
        with translate_av_errors(self.path):
            try:
                self._put(container, None, self.last / TICKS + 1 / self.film.fps)
                if self.sound is not None:
                    self.sound.close()
            finally:
                container.close()


class Sound:
    """The sound of a film, written in step with the frames."""

    def __init__(self, source: Any, stream: Any, target: Any) -> None:
        self.source, self.stream, self.target = source, stream, target
        copied = stream.codec_context.name in COPIED
        self.output = target.add_stream_from_template(stream) if copied else _encoder(target, stream)
        self.packets = source.demux(stream)
        start = source.streams.video[0].start_time if source.streams.video else None
        self.offset = float(start * source.streams.video[0].time_base) if start else 0.0
        self.resampler = None
        if not copied:
            self.resampler = import_av().AudioResampler(self.output.format, self.output.layout, self.output.rate)
        self.time = -1.0

    def write(self, until: float) -> None:
        """Write the sound up to a time in seconds of the film."""
        while self.time < until:
            packet = self._next()
            if packet is None:
                self.time = float('inf')
                return
            if packet.pts is None:
                continue
            packet.pts -= round(self.offset / packet.time_base)
            packet.dts = packet.pts
            self.time = float(packet.pts * packet.time_base)
            if self.time >= 0:
                self._mux(packet)

    def _next(self) -> Any:
        """Return the next packet of sound; None at its end, also at that of a file that is cut off."""
        try:
            return next(self.packets, None)
        except import_av().error.FFmpegError:
            return None

    def _mux(self, packet: Any) -> None:
        if self.resampler is None:
            packet.stream = self.output
            self.target.mux(packet)
            return
        try:
            frames = packet.decode()
        except import_av().error.FFmpegError:  # damaged sound is left out
            return
        for frame in frames:
            for part in self.resampler.resample(frame):
                self.target.mux(self.output.encode(part))

    def close(self) -> None:
        """Write what the encoder still holds."""
        if self.resampler is not None:
            for part in self.resampler.resample(None):
                self.target.mux(self.output.encode(part))
            self.target.mux(self.output.encode(None))
        self.source.close()


def open_sound(path: str, target: Any) -> Sound | None:
    """Return the first sound of a film, with its stream in the target; None if the film has none."""
    av = import_av()
    try:
        source = av.open(path)
    except (av.error.FFmpegError, OSError):
        return None
    if not source.streams.audio:
        source.close()
        return None
    return Sound(source, source.streams.audio[0], target)


def _encoder(target: Any, stream: Any) -> Any:
    encoder = target.add_stream(SOUND_CODEC, rate=stream.codec_context.sample_rate or 44_100)
    encoder.layout = 'mono' if stream.codec_context.channels == 1 else 'stereo'
    return encoder


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a frame with even sides, which H.264 needs: the last row and column are repeated."""
    height, width = image.shape[:2]
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), 'edge') if height % 2 or width % 2 else image


@contextmanager
def translate_av_errors(path: Path) -> Iterator[None]:
    """Raise UnwritableOutput in place of FFmpeg's errors."""
    av = import_av()
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        number = getattr(error, 'errno', None) or errno.EIO
        raise UnwritableOutput(path, OSError(number, getattr(error, 'strerror', None) or str(error))) from error


def import_av() -> Any:
    """Return the module av, which is PyAV."""
    try:
        import av  # optional
        import av.error
    except ImportError as error:
        raise MissingResource(f'PyAV cannot be imported ({error}). Install it: pip install av') from error
    av.logging.set_level(av.logging.PANIC)  # FFmpeg prints nothing: errors are reported here
    return av
