"""Reading films and cameras, whole and damaged, and everything that model.stream takes."""

import os
import struct
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
from films import HEIGHT, WIDTH, DiscPredictor, frame, write_film

from facelmk.errors import DataDefect, FacelmkError, MissingResource
from facelmk.inference.films import read
from facelmk.inference.films.containers import film_kind
from facelmk.inference.films.read import open_film
from facelmk.inference.films.write import OpenCVWriter

COUNT = 24


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film of 24 frames, 20 a second, with a moving disc; it is the only file of the current folder."""
    monkeypatch.chdir(tmp_path)
    return write_film(Path('film.mp4'), (frame((40 + 2 * i, 60)) for i in range(COUNT)))


def turn(path: Path) -> Path:
    """Write how a phone was held, 90 degrees, into an MP4."""
    content = bytearray(path.read_bytes())
    start = content.index(b'tkhd') + 44  # version, times, id, layer and volume come before the matrix
    content[start : start + 36] = struct.pack('>9i', 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    turned = path.with_name('turned.mp4')
    turned.write_bytes(content)
    return turned


def test_frames_have_numbers_and_times(film: Path) -> None:
    with open_film(film) as opened:
        assert (opened.width, opened.height, opened.fps, opened.count) == (WIDTH, HEIGHT, 20, COUNT)
        frames = list(opened)
        opened.check()
    assert [one.number for one in frames] == list(range(COUNT)) and opened.missing == 0
    assert np.allclose([one.time for one in frames], np.arange(COUNT) / 20, atol=1e-3)
    assert np.abs(frames[5].image.astype(int) - frame((50, 60))).mean() < 6


def test_a_film_that_was_held_upright_is_turned(film: Path) -> None:
    with open_film(turn(film)) as opened:
        image = next(iter(opened)).image
    assert image.shape == (WIDTH, HEIGHT, 3) and (opened.width, opened.height) == (HEIGHT, WIDTH)
    upright = cv2.rotate(frame((40, 60)), cv2.ROTATE_90_CLOCKWISE)
    assert np.abs(image.astype(int) - upright).mean() < 6


@pytest.mark.parametrize('damage, missing, cut', [('cut', 12, True), ('broken', 1, False)])
def test_frames_that_cannot_be_read_are_counted(film: Path, damage: str, missing: int, cut: bool) -> None:
    path = write_film(Path('film.avi'), (frame((40 + 2 * i, 60)) for i in range(COUNT)), codec='MJPG')
    content = bytearray(path.read_bytes())
    if damage == 'cut':
        path.write_bytes(content[: len(content) // 2])
    else:
        start = content.index(b'\xff\xd8', len(content) // 3)  # the start of a frame
        end = content.index(b'\xff\xd8', start + 2)
        content[start:end] = bytes(end - start)
        path.write_bytes(content)
    with open_film(path) as opened:
        frames = list(opened)
        with pytest.raises(DataDefect, match='film.avi.* of 24 frames') as error:
            opened.check()
    assert opened.missing == COUNT - len(frames) and abs(opened.missing - missing) <= 3
    assert ('cut off' in str(error.value)) == cut
    assert len(list(DiscPredictor().stream(path))) == len(frames)  # in Python it is logged: the others were used
    failures = []
    list(DiscPredictor().stream(path, skip=lambda source, error: failures.append(source)))
    assert failures == [path]


def test_a_frame_that_cannot_be_read_does_not_end_a_film(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_film(film) as opened:
        number = iter(range(1000))
        grab = opened._grab
        monkeypatch.setattr(opened, '_grab', lambda: (False, None) if next(number) in (4, 5, 9) else grab())
        assert len(list(opened)) == COUNT and opened.missing == 3
        with pytest.raises(DataDefect, match='3 of 27 frames'):
            opened.check()


@pytest.mark.parametrize(
    'content, fact',
    [(b'', '0 bytes'), (b'#EXTM3U\nfile:///etc/hostname\n' * 9, 'no known format'), (None, 'cut off'), ('x', 'MP4')],
)
def test_files_that_are_no_films_are_refused(film: Path, content: bytes | str | None, fact: str) -> None:
    whole = film.read_bytes()
    film.write_bytes(whole[: len(whole) // 2] if content is None else whole[:60] if content == 'x' else content)
    with pytest.raises(DataDefect, match='film.mp4'), open_film(film):
        pass
    failures = []
    list(DiscPredictor().stream(film, skip=lambda source, error: failures.append(str(error))))
    assert len(failures) == 1 and (fact in failures[0] or fact == 'MP4')


def test_a_pipe_is_no_film_and_nothing_waits_for_it(film: Path) -> None:
    for name in ('pipe.mp4', 'pipe'):
        os.mkfifo(name)
        with pytest.raises(DataDefect, match=name):
            list(DiscPredictor().stream(name))
    tiny_boxes = (8).to_bytes(4, 'big') + b'free'
    film.write_bytes(b'\0\0\0\x0cftypisom' + tiny_boxes * 100_000)
    with pytest.raises(DataDefect, match='film.mp4'), open_film(film):
        pass


def test_a_missing_film_and_frames_that_are_too_large(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingResource, match=r'none\.mp4'):
        list(DiscPredictor().stream('none.mp4'))
    monkeypatch.setenv('FACELMK_MAX_PIXELS', '1000')
    with pytest.raises(DataDefect, match='160 x 120'):
        list(DiscPredictor().stream(film))


@pytest.mark.parametrize(
    'codec, name, kind', [('MJPG', 'a.avi', 'AVI'), ('mp4v', 'a.mov', 'MP4'), ('MJPG', 'a.mkv', 'Matroska')]
)
def test_containers_are_known_by_their_first_bytes(tmp_path: Path, codec: str, name: str, kind: str) -> None:
    path = write_film(tmp_path / name, [frame((60, 60))] * 5, codec=codec)
    assert film_kind(path) == kind and film_kind(__file__) is None and film_kind(tmp_path) is None
    bare = path.rename(tmp_path / 'without_ending')
    assert len(list(DiscPredictor().stream(bare))) == 5


# -- cameras


class FakeCamera:
    """Five frames, then the plug is pulled."""

    opened = True

    def __init__(self, *arguments: object) -> None:
        self.frames = [frame((60 + i, 60)) for i in range(5)]
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802, OpenCV's name
        return self.opened

    def get(self, key: int) -> float:
        return {cv2.CAP_PROP_FRAME_WIDTH: WIDTH, cv2.CAP_PROP_FRAME_HEIGHT: HEIGHT}.get(key, 0.0)

    def set(self, key: int, value: float) -> bool:
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        return (True, self.frames.pop(0)) if self.frames else (False, None)

    def release(self) -> None:
        self.released = True


@pytest.mark.parametrize('number', [0, '0', np.int64(0)])
def test_a_camera_by_its_number(number: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(read.cv2, 'VideoCapture', FakeCamera)
    monkeypatch.setattr(read, 'CAMERA_WAIT_S', 0.05)
    frames = list(DiscPredictor().stream(number))
    assert [len(faces) for faces in frames] == [1] * 5 and frames[0].source == 0
    times = [faces.time for faces in frames]
    assert times == sorted(times) and times[0] < 0.5
    assert [face.id for faces in frames for face in faces] == [1] * 5


def test_a_camera_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingResource, match='camera 97 cannot be opened'):
        list(DiscPredictor().stream(97))
    monkeypatch.setattr(read.cv2, 'VideoCapture', FakeCamera)
    monkeypatch.setattr(read, 'CAMERA_WAIT_S', 0.01)
    monkeypatch.setattr(FakeCamera, 'read', lambda self: (False, None))
    with pytest.raises(MissingResource, match='camera 1 gives no frame'):
        list(DiscPredictor().stream(1))
    with pytest.raises(FacelmkError, match='-1'):
        list(DiscPredictor().stream(-1))


# -- all that a stream takes


@pytest.fixture
def album(film: Path) -> Path:
    """A folder with two pictures, one of them below another folder, the film, and notes."""
    (Path('album') / 'sub').mkdir(parents=True)
    for name in ('album/a.png', 'album/sub/b.jpg'):
        cv2.imwrite(name, frame((60, 60)))
    film.rename('album/film.mp4')
    Path('album/notes.txt').write_text('stray')
    return Path('album')


def sources(images: object, **options: object) -> list[str]:
    return [str(faces.source) for faces in DiscPredictor().stream(images, **options) if faces.frame in (None, 0)]


def test_folders_patterns_and_lists(album: Path) -> None:
    everything = ['album/a.png', 'album/film.mp4', 'album/sub/b.jpg']
    assert sources('album') == sources(album) == everything
    assert sources('album/*.png') == ['album/a.png'] and sources('album/**/*.*g') == ['album/a.png', 'album/sub/b.jpg']
    assert sources(['album/*.mp4', album / 'a.png']) == ['album/film.mp4', 'album/a.png']
    array = frame((60, 60))
    one = list(DiscPredictor().stream(array))
    assert len(one) == 1 and one[0].frame is None and len(one[0]) == 1 and one[0][0].id is None
    assert len(list(DiscPredictor().stream(iter([array, Path('album/a.png').read_bytes(), 'album/film.mp4'])))) == 26
    assert [faces.frame for faces in DiscPredictor().stream('album/film.mp4')] == list(range(COUNT))


def test_a_broken_item_is_skipped_or_raised(album: Path) -> None:
    (album / 'bad.png').write_bytes(b'no picture')
    (album / 'bad.mp4').write_bytes(b'no film')
    failures = []
    found = sources('album', skip=lambda source, error: failures.append((source, type(error))))
    assert found == ['album/a.png', 'album/film.mp4', 'album/sub/b.jpg']
    assert failures == [('album/bad.mp4', DataDefect), ('album/bad.png', DataDefect)]
    with pytest.raises(DataDefect, match='bad.mp4'):
        sources('album')
    for missing in ('none.jpg', 'none/*.jpg'):
        with pytest.raises(MissingResource, match='none'):
            sources([missing])
    (album / 'empty').mkdir()
    with pytest.raises(FacelmkError, match='album/empty'):
        sources('album/empty')


def test_frames_are_read_when_they_are_asked_for(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grabbed = []
    grab = read.Film._grab
    monkeypatch.setattr(read.Film, '_grab', lambda self: grabbed.append(1) or grab(self))
    stream = DiscPredictor().stream(film)
    next(stream), next(stream)
    assert len(grabbed) == 2
    stream.close()  # which closes the file


def test_frames_are_not_kept(film: Path) -> None:
    images: list[weakref.ref] = []
    for faces in DiscPredictor().stream(film):
        images.append(weakref.ref(faces.image))
        faces.clear()  # each face holds its picture
        assert sum(image() is not None for image in images) <= 2


@pytest.mark.parametrize(
    'source, fact', [('album', 'a folder'), ('album/film.mp4', 'a film'), (0, 'camera'), ('album/*.png', 'a pattern')]
)
def test_one_call_takes_pictures_alone(album: Path, source: object, fact: str) -> None:
    for images in (source, [source]):
        with pytest.raises(FacelmkError, match=rf'{fact}.*model\.stream'):
            DiscPredictor()(images)


def test_a_film_at_a_constant_rate_shows_each_frame_at_its_time(film: Path) -> None:
    """Without PyAV: frames of a film with gaps in its times are repeated."""
    with open_film(film) as opened:
        writer = OpenCVWriter(Path('out.mp4'), opened)
        for number, time in enumerate((0, 0.05, 0.2, 0.25, 0.26)):
            writer.write(frame((40 + 20 * number, 60)), time)
        writer.close()
    with open_film('out.mp4') as written:
        places = [round(DiscPredictor()(one.image)[0].landmarks[:, 0].mean() / 20) - 2 for one in written]
    assert places == [0, 1, 2, 2, 2, 3] and written.fps == 20
