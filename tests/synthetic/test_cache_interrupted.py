"""A drawing of faces that stops at any point continues there, bit-equal to one that was never stopped."""

import errno
import hashlib
import os
import signal
import time
from collections import namedtuple

import pytest

from facelmk.errors import DataDefect, MissingResource, TrainingFault
from facelmk.files import progress
from facelmk.files.signals import Stopped, graceful_shutdown
from facelmk.synthetic import cache

fault = pytest.mark.fault
COUNT, SIZE, BLOCK = 14, 32, 4
needs_fork = pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork')


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(cache, 'BLOCK', BLOCK)


def draw(folder, workers=1, count=COUNT):
    """Draw a cache; return the digest of its columns."""
    path = cache.cache_faces(folder, 3, 5, count, SIZE, workers)
    assert [entry.name for entry in folder.iterdir()] == [path.name]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(path.iterdir())]


@pytest.fixture(scope='module')
def expected(tmp_path_factory):
    return draw(tmp_path_factory.mktemp('undisturbed'))


@pytest.fixture
def drawn(monkeypatch):
    """The numbers of the faces that this process draws, and what to call before each."""
    numbers, before = [], []

    def draw_and_note(seed, index, *others):
        for act in before:
            act(len(numbers))
        numbers.append(index)
        return original(seed, index, *others)

    original = cache.draw_one
    monkeypatch.setattr(cache, 'draw_one', draw_and_note)
    return numbers, before


@fault('L06')
@pytest.mark.parametrize(
    ('at', 'number'), [(0, signal.SIGTERM), (4, signal.SIGINT), (9, signal.SIGTERM), (13, signal.SIGTERM)]
)
def test_a_signal_at_any_face(at, number, drawn, expected, tmp_path):
    numbers, before = drawn
    before.append(lambda done: done == at and signal.raise_signal(number))
    with pytest.raises(Stopped), graceful_shutdown():
        draw(tmp_path)
    assert not any(path.name.startswith('synthetic') for path in tmp_path.iterdir())
    before.clear()
    numbers.clear()
    assert draw(tmp_path) == expected
    assert COUNT - at <= len(numbers) <= COUNT - at // BLOCK * BLOCK + BLOCK - COUNT % BLOCK


@fault('L06')
def test_an_error_at_a_face_keeps_the_others(drawn, expected, tmp_path):
    numbers, before = drawn
    before.append(lambda done: 1 / (9 - done))
    with pytest.raises(ZeroDivisionError):
        draw(tmp_path)
    before.clear()
    numbers.clear()
    assert draw(tmp_path, workers=2) == expected


@fault('L04')
@needs_fork
def test_a_worker_that_dies(drawn, expected, tmp_path):
    drawn[1].append(lambda done: done == 5 and os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(TrainingFault, match=r'SIGKILL.*workers.* of 14 faces') as caught:
        draw(tmp_path, workers=2)
    assert caught.value.exit_code == 5
    drawn[1].clear()
    assert draw(tmp_path, workers=2) == expected


def in_child(function):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            function()
            code = 0
        finally:
            os._exit(code)
    return child


@fault('L06')
@needs_fork
def test_kill_9(drawn, expected, tmp_path):
    numbers, before = drawn
    before.append(lambda done: done == 13 and os.kill(os.getpid(), signal.SIGKILL))
    assert os.waitpid(in_child(lambda: draw(tmp_path)), 0)[1] == signal.SIGKILL
    before.clear()
    assert draw(tmp_path) == expected
    assert 0 < len(numbers) < COUNT


@fault('L07')
@needs_fork
def test_processes_that_draw_the_same_faces_share_them(drawn, expected, tmp_path):
    notes = tmp_path / 'notes'
    notes.mkdir()
    folder = tmp_path / 'cache'
    drawn[1].append(lambda done: (time.sleep(0.01), (notes / f'{os.getpid()}-{done}').touch()))
    children = [in_child(lambda: cache.cache_faces(folder, 3, 5, COUNT, SIZE, 1)) for _ in range(3)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert draw(folder) == expected
    assert COUNT <= len(list(notes.iterdir())) < 3 * COUNT


@fault('L06')
@pytest.mark.parametrize('name', ['image', 'drawn'])
def test_a_damaged_part_is_drawn_again(name, drawn, expected, tmp_path):
    drawn[1].append(lambda done: 1 / (9 - done))
    with pytest.raises(ZeroDivisionError):
        draw(tmp_path)
    drawn[1].clear()
    (part,) = tmp_path.iterdir()
    (part / f'{name}.npy').write_bytes(b'')
    assert draw(tmp_path) == expected


def test_a_folder_that_is_no_complete_cache_is_refused(tmp_path, drawn):
    draw(tmp_path, count=1)
    (path,) = tmp_path.iterdir()
    (path / 'about.json').unlink()
    with pytest.raises(DataDefect, match=path.name):
        draw(tmp_path, count=1)
    assert len(drawn[0]) == 1


@fault('L08')
def test_a_disk_that_is_too_small_is_refused_before_the_drawing(tmp_path, monkeypatch, drawn):
    usage = namedtuple('usage', 'free')
    monkeypatch.setattr(cache.shutil, 'disk_usage', lambda _: usage(COUNT * SIZE * SIZE * 3))
    with pytest.raises(MissingResource, match=str(tmp_path)):
        draw(tmp_path)
    assert not drawn[0]


@fault('L08')
def test_a_disk_that_becomes_full_keeps_what_is_drawn(tmp_path, monkeypatch, drawn, expected):
    def write(folder, name, low, values):
        if len(drawn[0]) > 9:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(folder, name, low, values)

    original = cache.write_rows
    monkeypatch.setattr(cache, 'write_rows', write)
    with pytest.raises(MissingResource, match=f'{os.strerror(errno.ENOSPC)}.* [68] of 14 faces'):
        draw(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(cache, 'BLOCK', BLOCK)
    assert draw(tmp_path) == expected


@fault('L09')
def test_the_progress(tmp_path, capsys, monkeypatch, drawn):
    monkeypatch.setattr(progress, 'BAR_AFTER_S', 0)
    monkeypatch.setattr(progress, 'BAR_S', 0)
    monkeypatch.setattr(progress, 'FIRST_LINE_S', 0)
    draw(tmp_path / 'a')
    printed = capsys.readouterr()
    assert not printed.out and f'{COUNT}/{COUNT}' in printed.err.splitlines()[-1] and 'faces/s' in printed.err
    drawn[1].append(lambda done: 1 / (COUNT + 8 - done))
    with pytest.raises(ZeroDivisionError):
        draw(tmp_path / 'b')
    drawn[1].clear()
    capsys.readouterr()
    draw(tmp_path / 'b')
    lines = capsys.readouterr().err.splitlines()
    assert not any(line.startswith('drawing synthetic faces: 4/') for line in lines)  # it continues
    assert f'{COUNT}/{COUNT}' in lines[-1]
