"""Hostile headers: what we read in them is what the decoder sees, and reading them takes no time."""

import io
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelmk import DataDefect
from facelmk.datasets.images.decode import read_image
from facelmk.datasets.images.limits import read_header


def written(kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (16, 16, 3), np.uint8)).save(file, kind, **options)
    return file.getvalue()


def riff(content: bytes) -> bytes:
    return b'RIFF' + struct.pack('<I', len(content) + 4) + b'WEBP' + content


def tiff(*entries: tuple[int, int, int]) -> bytes:
    """A directory of (tag, type, number)."""
    rows = b''.join(struct.pack('<HHII', tag, kind, 1, number) for tag, kind, number in entries)
    return b'II*\0' + struct.pack('<IH', 8, len(entries)) + rows + bytes(4)


@pytest.mark.parametrize(
    'content, told',
    [
        (b'\xff\xd8' + b'\xff' * (10 << 20), 'without a frame'),
        (b'\xff\xd8' + b'\xff\xfe\0\2' * 500_000, 'more than 10000 markers'),
        (tiff(*[(60000, 3, 1)] * 60_000), 'a directory of 60000 entries'),
        (
            b'\x89PNG\r\n\x1a\n' + struct.pack('>I4s17x', 13, b'IHDR') + struct.pack('>I4s4x', 0, b'tEXt') * 1_000_000,
            'a PNG that is damaged',
        ),
    ],
    ids=['JPEG of fill bytes', 'JPEG of comments', 'TIFF of tags', 'PNG of chunks'],
)
def test_headers_without_end(content, told) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=told):
        read_header(content)
    assert time.process_time() - start < 0.5


def test_a_webp_of_empty_chunks() -> None:
    start = time.process_time()
    header = read_header(riff(b'VP8X' + struct.pack('<IB3x', 10, 8) + b'\x0f\0\0\x0f\0\0' + bytes(40 << 20)))
    assert (header.width, header.height, header.orientation) == (16, 16, 1)
    assert time.process_time() - start < 0.5


def scans(number: int, behind: bytes = b'') -> bytes:
    """A JPEG whose last scan comes again and again; a progressive one may have so many, and each costs the decoder."""
    content = written('JPEG', progressive=True)
    last = content.rindex(b'\xff\xda')
    return content[:last] + content[last:-2] * number + b'\xff\xd9' + behind


def test_scans_without_end() -> None:
    with pytest.raises(DataDefect, match='a JPEG of more than 100 scans'):
        read_image(scans(200))
    film = b'\xff\xda' * 1000  # behind the photograph
    assert np.array_equal(read_image(scans(1, film)), read_image(written('JPEG', progressive=True)))


@pytest.mark.parametrize('kind', [6, 8, 9, 16])
def test_a_tiff_with_two_widths(kind) -> None:
    """Of both libtiff takes the first, in kinds of numbers that we do not read."""
    sizes = [(256, kind, 30000), (257, kind, 30000), (256, 3, 16), (257, 3, 16)]
    with pytest.raises(ValueError, match='0 x 0'):
        read_header(tiff(*sizes))


def test_a_comment_that_ends_as_on_old_machines() -> None:
    header = read_header(b'P5\n#\r3000 2000 255\n16 16 255\n')
    assert (header.width, header.height) == (3000, 2000)


def test_jpeg_2000_whose_first_sizes_are_a_lie() -> None:
    content = written('JPEG2000')
    place = content.index(b'\xff\x4f\xff\x51')
    large = bytearray(content)
    for at in (place + 8, place + 24, content.index(b'ihdr') + 4):
        large[at : at + 8] = struct.pack('>II', 30000, 30000)
    box = content.index(b'jp2c') - 4
    lie = struct.pack('>I', 68) + b'free' + content[place : place + 60]
    start = time.process_time()
    with pytest.raises(DataDefect, match='JPEG 2000 of 16 x 16 pixels, but damaged'):
        read_image(bytes(large[:box] + lie + large[box:]))
    assert time.process_time() - start < 0.1


FALL = """
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
    """OpenCV 4.11 falls on it, once PIL has loaded its own library of this format."""
    content = bytearray(written('JPEG2000'))
    place = content.index(b'\xff\x4f\xff\x51')
    for at, size in ((place + 8, 7000), (content.index(b'ihdr') + 4, 7000), (place + 24, 1)):
        content[at : at + 8] = struct.pack('>II', size, size)
    (tmp_path / 'tiles.jp2').write_bytes(content)
    done = subprocess.run(
        [sys.executable, '-c', FALL, 'tiles.jp2'],
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
