"""Hostile headers: the size that we read is the size that is decoded, and reading takes no time."""

import io
import os
import struct
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facelmk import DataDefect
from facelmk.datasets.images.decode import read_image
from facelmk.datasets.images.limits import read_header
from facelmk.datasets.images.pixel_limit import MAX_PIXELS

MOST_CALLS = 300_000  # the limits on the parts of a header allow some ten thousand parts; the files have millions
MOST_CPU_S = 10


def encode(kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (16, 16, 3), np.uint8)).save(file, kind, **options)
    return file.getvalue()


def riff(content: bytes) -> bytes:
    return b'RIFF' + struct.pack('<I', len(content) + 4) + b'WEBP' + content


def tiff(*entries: tuple[int, int, int]) -> bytes:
    """A directory of (tag, type, number)."""
    rows = b''.join(struct.pack('<HHII', tag, kind, 1, number) for tag, kind, number in entries)
    return b'II*\0' + struct.pack('<IH', 8, len(entries)) + rows + bytes(4)


def assert_few_calls(action: Callable[[], object]) -> None:
    """Run an action; fail if it makes many calls, which a busy machine does not change, or OpenCV decodes."""
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        if event == 'c_call':
            calls[argument.__name__] += 1
        elif event == 'call':
            calls[frame.f_code.co_name] += 1

    before, start = sys.getprofile(), time.process_time()
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(before)
        assert calls.total() < MOST_CALLS, calls.most_common(9)
        assert not calls['imdecode']
        assert (
            time.process_time() - start < MOST_CPU_S
        )  # it takes a few milliseconds, and a busy machine does not make seconds of them


@pytest.mark.parametrize(
    'content',
    [
        b'\xff\xd8' + b'\xff' * (10 << 20),
        b'\xff\xd8' + b'\xff\xfe\0\2' * 500_000,
        tiff(*[(60000, 3, 1)] * 60_000),
        b'\x89PNG\r\n\x1a\n' + struct.pack('>I4s17x', 13, b'IHDR') + struct.pack('>I4s4x', 0, b'tEXt') * 1_000_000,
        riff(b'VP8X' + struct.pack('<IB3x', 10, 8) + b'\x0f\0\0\x0f\0\0' + bytes(40 << 20)),
        b'P6\n#' + b'x' * (20 << 20) + b'\n16 16 255\n',
        b'GIF89a' + struct.pack('<HH3x', 16, 16) + b'!\xfe' + b'\1x' * 5_000_000,
    ],
    ids=['JPEG of fill bytes', 'JPEG of comments', 'TIFF of tags', 'PNG of chunks', 'WebP of chunks', 'PNM', 'GIF'],
)
def test_endless_headers(content) -> None:
    with pytest.raises(ValueError):
        assert_few_calls(lambda: read_header(content))


def with_scans(number: int, behind: bytes = b'') -> bytes:
    """A progressive JPEG with `number` copies of its last scan; each of them costs the decoder time."""
    content = encode('JPEG', progressive=True)
    last = content.rindex(b'\xff\xda')
    return content[:last] + content[last:-2] * number + b'\xff\xd9' + behind


def test_too_many_scans() -> None:
    with pytest.raises(DataDefect, match='more than 100 scans'):
        read_image(with_scans(200))
    plain = read_image(encode('JPEG', progressive=True))
    assert read_image(with_scans(20)).shape == plain.shape
    film = b'\xff\xda' * 1000  # a phone stores a film after the end of the photograph
    assert np.array_equal(read_image(with_scans(1, film)), plain)


def test_scans_are_counted_after_a_comment_that_looks_like_the_end() -> None:
    content = encode('JPEG', progressive=True)
    last = content.rindex(b'\xff\xda')
    comment = b'\xff\xfe\0\4\xff\xd9'
    with pytest.raises(DataDefect, match='more than 100 scans'):
        read_image(content[:last] + comment + content[last:-2] * 200 + b'\xff\xd9')


@pytest.mark.parametrize('kind', [3, 4, 6, 8, 9, 16])
def test_a_tiff_with_two_sizes(kind) -> None:
    """libtiff uses the first, Pillow the last: the parser that checks the size must also decode."""
    sizes = [(256, kind, 30000), (257, kind, 30000), (256, 3, 16), (257, 3, 16)]
    with pytest.raises(DataDefect):
        assert_few_calls(
            lambda: read_image(
                tiff(*sizes, (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (278, 3, 30000), (279, 4, 100))
            )
        )


def test_a_comment_that_ends_with_a_carriage_return() -> None:
    header = read_header(b'P5\n#\r3000 2000 255\n16 16 255\n')
    assert (header.width, header.height) == (3000, 2000)


@pytest.mark.parametrize('box', [16, 30000], ids=['small box', 'large box'])
def test_jpeg_2000_with_different_sizes(box) -> None:
    """The codestream says 30000 x 30000; a copy of it before says 16 x 16, and the box of the header says `box`."""
    content = encode('JPEG2000')
    start = content.index(b'\xff\x4f\xff\x51')
    large = bytearray(content)
    for offset, side in ((start + 8, 30000), (start + 24, 30000), (content.index(b'ihdr') + 4, box)):
        large[offset : offset + 8] = struct.pack('>II', side, side)
    codestream = content.index(b'jp2c') - 4
    lie = struct.pack('>I', 68) + b'free' + content[start : start + 60]
    with pytest.raises(DataDefect, match='these bytes: no picture'):
        assert_few_calls(lambda: read_image(bytes(large[:codestream] + lie + large[codestream:])))


def test_pillows_own_limit_is_not_reached(monkeypatch) -> None:
    """Our limit is lower, so Pillow neither warns nor raises; where it must raise, the error is ours."""
    assert MAX_PIXELS < Image.MAX_IMAGE_PIXELS
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 100)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for kind in ('JPEG', 'PNG', 'GIF', 'BMP', 'PPM', 'JPEG2000'):
            assert read_image(encode(kind)).shape == (16, 16, 3), kind
        for kind in ('TIFF', 'WEBP'):
            with pytest.raises(DataDefect, match='limit of 200 pixels'):
                read_image(encode(kind))


DECODE = """
import sys
from facelmk.datasets.images.decode import DataDefect, read_image
from PIL import Image
Image.init()
try:
    read_image(sys.argv[1])
except DataDefect as error:
    print(error)
"""


def test_jpeg_2000_of_tiny_tiles(tmp_path) -> None:
    """OpenCV 4.11 crashes on it once Pillow has loaded its own library of this format."""
    content = bytearray(encode('JPEG2000'))
    start = content.index(b'\xff\x4f\xff\x51')
    for offset, size in ((start + 8, 7000), (content.index(b'ihdr') + 4, 7000), (start + 24, 1)):
        content[offset : offset + 8] = struct.pack('>II', size, size)
    (tmp_path / 'tiles.jp2').write_bytes(content)
    done = subprocess.run(
        [sys.executable, '-c', DECODE, 'tiles.jp2'],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(Path(__file__).parents[3])},
    )
    assert done.returncode == 0 and 'tiles.jp2: no picture' in done.stdout, done


def test_jpeg_2000_is_read() -> None:
    image = np.random.default_rng(2).integers(0, 255, (20, 30, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(image).save(file, 'JPEG2000', irreversible=False)
    assert np.array_equal(read_image(file.getvalue()), image[..., ::-1])
