"""A rectangle that is cut out of a JPEG has the pixels of the whole picture, and an unusual file is refused."""

from contextlib import suppress

import cv2
import numpy as np
import pytest
from helpers.photographs import encode, noise
from PIL import Image

from facelmk.datasets.crops.jpeg_cut import JpegCutter
from facelmk.datasets.crops.jpeg_rows import decode_rows, read_row_table
from facelmk.datasets.crops.jpeg_scan import Unsupported

WIDTH, HEIGHT = 117, 83  # no multiple of 8
BOXES = [(0, 0, WIDTH, HEIGHT), (40, 30, 41, 31), (0, 0, 20, 17), (100, 70, WIDTH, HEIGHT), (33, 0, 64, HEIGHT)]


def decode(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


FILES = {
    '4:2:0': dict(quality=88),
    '4:2:2': dict(quality=60, subsampling=1),
    '4:4:4': dict(quality=97, subsampling=0),
    'tables of its own': dict(quality=80, optimize=True),
    'restart markers': dict(quality=80, restart_marker_blocks=3),
    'coarse': dict(quality=3),
    'finest': dict(quality=100),
}


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_pixels_are_equal(name, mode) -> None:
    content = encode(noise(WIDTH, HEIGHT).convert(mode), **FILES[name])
    whole, cutter = decode(content), JpegCutter(content)
    for box in BOXES:
        x1, y1, x2, y2 = box
        cut, (left, top) = cutter.cut(box)
        part = decode(cut)[y1 - top : y2 - top, x1 - left : x2 - left]
        assert np.array_equal(part, whole[y1:y2, x1:x2]), box


def test_extreme_levels_are_equal() -> None:
    """Black beside white: the largest differences of means that a file can hold."""
    levels = np.zeros((64, 64, 3), np.uint8)
    levels[:, ::16] = levels[:, 8::16] = 255
    levels[16:48, 16:48] = 255
    content = encode(Image.fromarray(levels), quality=100, subsampling=0)
    cut, (left, top) = JpegCutter(content).cut((20, 20, 60, 50))
    assert np.array_equal(decode(cut)[20 - top : 50 - top, 20 - left : 60 - left], decode(content)[20:50, 20:60])


def test_a_cut_is_smaller() -> None:
    content = encode(noise(WIDTH, HEIGHT), quality=88)
    cut, _ = JpegCutter(content).cut((40, 30, 60, 45))
    assert len(cut) < len(content) / 2


def broken() -> dict[str, bytes]:
    content = encode(noise(WIDTH, HEIGHT), quality=88)
    scan = content.index(b'\xff\xda') + 14
    return {
        'progressive': encode(noise(WIDTH, HEIGHT), progressive=True),
        'CMYK': encode(noise(WIDTH, HEIGHT).convert('CMYK')),
        'no JPEG': encode(noise(WIDTH, HEIGHT), 'PNG'),
        'cut off': content[: len(content) // 2],
        'cut off, with an end': content[: len(content) // 2] + b'\xff\xd9',
        'no scan': content[:scan],
        'empty': b'',
        'arithmetic': content.replace(b'\xff\xc0', b'\xff\xc9', 1),
    }


@pytest.mark.parametrize('name', list(broken()))
def test_unusual_files_are_refused(name) -> None:
    with pytest.raises(Unsupported):
        JpegCutter(broken()[name]).cut((0, 0, 50, 50))


def test_damaged_bits_never_raise_another_error() -> None:
    content = bytearray(encode(noise(40, 40), quality=88))
    rng = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(content)
        for place in rng.integers(2, len(content), 3):
            damaged[place] = rng.integers(256)
        with suppress(Unsupported):
            JpegCutter(bytes(damaged)).cut((0, 0, 30, 30))


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_some_rows_are_decoded_alone(name, mode) -> None:
    content = encode(noise(60, 300).convert(mode), **FILES[name])
    cut, _ = JpegCutter(content).cut((3, 10, 50, 290))
    data, whole = np.frombuffer(cut, np.uint8), decode(cut)
    table = read_row_table(data)
    for first, last in ((0, 300), (0, 1), (100, 101), (37, 170), (250, len(whole)), (8, 8), (-20, -9), (400, 500)):
        rows, begin = decode_rows(data, table, first, last)
        low, high = max(first, 0), max(min(last, len(whole)), 0)
        assert np.array_equal(rows[low - begin : high - begin], whole[low:high])
        assert begin <= low and begin + len(rows) >= high and len(rows) <= last - first + 2 * (4 + 16)


def test_damaged_rows_and_files_without_a_table() -> None:
    assert read_row_table(np.frombuffer(encode(noise(60, 60)), np.uint8)) is None
    cut = np.frombuffer(JpegCutter(encode(noise(60, 200), quality=88)).cut((0, 0, 60, 200))[0], np.uint8)
    rng = np.random.default_rng(0)
    assert read_row_table(cut[:-20]) is None and read_row_table(cut[:30]) is None
    for place, value in ((10, b'\1'), (10, b'\xff'), (11, b'\0\0'), (11, b'\0\x1e'), (11, b'\xff\xff')):
        damaged = cut.copy()
        damaged[place : place + len(value)] = list(value)
        assert read_row_table(damaged) is None
    for _ in range(100):
        damaged = cut.copy()
        damaged[rng.integers(2, 200, 3)] = rng.integers(0, 256, 3)
        broken = read_row_table(damaged)
        if broken is not None:
            decode_rows(damaged, broken, 50, 90)
