"""Films written with PyAV: sound, the time of each frame, and frames with odd sides."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('av', reason='needs PyAV: pip install av')

import av
from films import frame

from facelmk.inference.films.av_writer import AVWriter
from facelmk.inference.films.read import open_film
from facelmk.inference.films.write import open_writer

RATE = 16_000
VARIABLE = np.cumsum([0, *[0.04, 0.1, 0.02, 0.2] * 6])


def write_with_sound(path: Path, times: np.ndarray, codec: str | None) -> Path:
    """Write a film whose frames are at these times, with a tone."""
    with av.open(str(path), 'w') as target:
        video = target.add_stream('mpeg4', rate=25)
        video.width, video.height, video.pix_fmt = 160, 120, 'yuv420p'
        video.codec_context.time_base = Fraction(1, 1000)
        audio = None if codec is None else target.add_stream(codec, rate=RATE, layout='mono')
        for i, time in enumerate(times):
            image = av.VideoFrame.from_ndarray(frame((40 + i, 60)), format='bgr24')
            image.pts, image.time_base = round(time * 1000), Fraction(1, 1000)
            target.mux(video.encode(image))
        target.mux(video.encode(None))
        for start in range(0, 0 if audio is None else int(RATE * times[-1]), 1024):
            tone = (np.sin(np.arange(start, start + 1024) / 20) * 8000).astype(np.int16)[None]
            sound = av.AudioFrame.from_ndarray(tone, format='s16', layout='mono')
            sound.sample_rate, sound.pts, sound.time_base = RATE, start, Fraction(1, RATE)
            target.mux(audio.encode(sound))
        if audio is not None:
            target.mux(audio.encode(None))
    return path


def copy_film(source: Path, out: Path) -> list[float]:
    """Write the frames of a film again; return their times."""
    with open_film(source) as film:
        times = []
        with open_writer(out, film) as writer:
            assert isinstance(writer, AVWriter)
            for one in film:
                writer.write(one.image, one.time)
                times.append(one.time)
    return times


@pytest.mark.parametrize(
    'name, codec, kept',
    [('a.mp4', 'aac', 'aac'), ('a.mov', 'pcm_s16le', 'aac'), ('a.mkv', 'flac', 'aac'), ('b.mp4', None, None)],
)
def test_times_and_sound_are_kept(name: str, codec: str | None, kept: str | None, tmp_path: Path) -> None:
    source = write_with_sound(tmp_path / name, VARIABLE, codec)
    copy_film(source, tmp_path / 'out.mp4')
    with av.open(str(tmp_path / 'out.mp4')) as out:
        video = out.streams.video[0]
        assert video.codec_context.name == 'h264' and [s.codec_context.name for s in out.streams.audio] == [kept] * (
            kept is not None
        )
        length = float(out.streams.audio[0].duration * out.streams.audio[0].time_base) if kept else VARIABLE[-1]
        assert length == pytest.approx(VARIABLE[-1], abs=0.15)
        assert np.allclose([float(one.pts * one.time_base) for one in out.decode(video)], VARIABLE, atol=2e-3)


def test_odd_sides_get_a_row_and_a_column(tmp_path: Path) -> None:
    source = write_with_sound(tmp_path / 'a.mp4', np.arange(5) / 25, None)
    with open_film(source) as film, open_writer(tmp_path / 'out.mp4', film) as writer:
        for one in film:
            writer.write(one.image[:119, :157], one.time)
    with open_film(tmp_path / 'out.mp4') as out:
        assert (out.width, out.height) == (158, 120) and len(list(out)) == 5


def test_a_film_that_fails_is_not_left(tmp_path: Path) -> None:
    source = write_with_sound(tmp_path / 'a.mp4', np.arange(5) / 25, 'aac')
    with open_film(source) as film, pytest.raises(ZeroDivisionError), open_writer(tmp_path / 'out.mp4', film) as writer:
        writer.write(next(iter(film)).image, 0.0)
        raise ZeroDivisionError
    assert not (tmp_path / 'out.mp4').exists()
