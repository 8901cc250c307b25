"""Block A: what is no picture, or a broken one, or one too large."""

import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelmk import DataDefect, FacelmkError, MissingResource
from facelmk.datasets.images.decode import read_image

from .written import written

fault = pytest.mark.fault
ROOT = Path(__file__).parents[2]


def refused(source, told: str, error: type[FacelmkError] = DataDefect) -> None:
    """Refused with the reason, and with the name where it is a file."""
    with pytest.raises(error, match=told) as caught:
        read_image(source)
    assert not isinstance(source, (str, Path)) or Path(source).name in str(caught.value)
    assert caught.value.exit_code == {DataDefect: 4, MissingResource: 3, FacelmkError: 2}[error]


def both_refused(content: bytes, told: str, folder: Path, name: str) -> None:
    """Refused as a file and as bytes."""
    (folder / name).write_bytes(content)
    refused(folder / name, told)
    refused(content, 'these bytes: no picture.*' + told)


@fault('A17')
def test_numbers_that_are_no_colours(picture, tmp_path) -> None:
    image = Image.fromarray(picture[..., 0].astype(np.float32) / 255)
    both_refused(written(image, 'TIFF'), 'floating-point.*save it with 8 bits', tmp_path, 'f.tif')
    refused(image, "mode 'F'", FacelmkError)


@fault('A22')
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'PPM'])
def test_cut_off(kind, whole, tmp_path) -> None:
    content = written(whole, kind)
    for share in (0.02, 0.3, 0.6, 0.95):
        both_refused(content[: int(len(content) * share)], r'\d+ bytes', tmp_path, 'cut.picture')
    if kind in ('JPEG', 'PNG', 'BMP', 'GIF'):  # which PIL reads late
        (tmp_path / 'late.picture').write_bytes(content[: int(len(content) * 0.6)])
        refused(Image.open(tmp_path / 'late.picture'), 'late.picture: no picture')


@fault('A22')
def test_a_chunk_that_claims_gigabytes(whole) -> None:
    """OpenCV alone takes half a minute, and as much memory."""
    content = bytearray(written(whole, 'PNG'))
    place = content.index(b'IDAT') - 4
    for length in (1 << 24, (1 << 31) - 1, (1 << 32) - 1):
        content[place : place + 4] = struct.pack('>I', length)
        start = time.process_time()
        refused(content, 'no picture: a PNG that is damaged')
        assert time.process_time() - start < 0.2


@fault('A22')
def test_anything_else_that_is_broken(whole) -> None:
    """A picture, or the package's own error: no cv2.error, struct.error or IndexError."""
    rng = np.random.default_rng(1)
    files = [written(whole, kind) for kind in ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'PPM')]
    taken = 0
    for number in range(700):
        content = bytearray(files[number % 7])
        for place in rng.integers(0, min(len(content), 200), 6):
            content[place] = rng.integers(256)
        try:
            image = read_image(content, max_pixels=100_000)
            taken += 1
            assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
        except DataDefect:
            pass
    assert 0 < taken < 700


@fault('A23')
def test_empty_files(tmp_path) -> None:
    both_refused(b'', r'empty \(0 bytes\)', tmp_path, 'a.jpg')


@fault('A24')
def test_web_pages(tmp_path) -> None:
    both_refused(b'\n<!DOCTYPE html><html><body>404</body></html>', 'a web page', tmp_path, 'a.jpg')
    both_refused(b'<html>', 'a web page', tmp_path, 'b.jpg')
    both_refused(b'plain text', 'no known format.*JPEG, PNG', tmp_path, 'c.jpg')


@fault('A25')
def test_folders(tmp_path) -> None:
    refused(tmp_path, 'is a folder')
    os.mkfifo(tmp_path / 'pipe')
    refused(tmp_path / 'pipe', 'a device or a pipe')


@fault('A26')
def test_missing(tmp_path) -> None:
    refused(tmp_path / 'none.jpg', f'cannot be read.*No such file.*from {Path.cwd()}', MissingResource)
    (tmp_path / 'file').touch()
    refused(tmp_path / 'file' / 'a.jpg', 'Not a directory', MissingResource)
    with pytest.raises(DataDefect, match='null byte'):
        read_image('a\0.jpg')
    with pytest.raises(DataDefect, match='too long'):
        read_image('a' * 300 + '.jpg')


@fault('A27')
def test_no_permission(as_nobody, whole) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, 'mine.png')
        path.write_bytes(written(whole, 'PNG'))
        os.chmod(path, 0o604)
        assert isinstance(as_nobody(lambda: read_image(path).shape), tuple)
        os.chmod(path, 0)
        error = as_nobody(lambda: read_image(path))
    assert isinstance(error, DataDefect) and 'mine.png' in str(error) and 'Permission denied' in str(error)


def bomb(side: int) -> bytes:
    """A white PNG of 1 bit a pixel."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack('>I', len(content)) + name + content + struct.pack('>I', zlib.crc32(name + content))

    packer, row = zlib.compressobj(9), b'\0' + b'\xff' * (side // 8)
    rows = b''.join([*(packer.compress(row * 100) for _ in range(side // 100)), packer.flush()])
    head = struct.pack('>IIBBBBB', side, side, 1, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', rows) + chunk(b'IEND', b'')


MEASURE = """
import re, sys, time
from pathlib import Path
from facelmk import DataDefect
from facelmk.datasets.images.decode import read_image

def most():
    return int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) / 1024

assert read_image(sys.argv[1]).shape == (200, 200, 3)
for source in (*sys.argv[2:], *(Path(path).read_bytes() for path in sys.argv[2:])):
    Path('/proc/self/clear_refs').write_text('5')
    before, start = most(), time.process_time()
    try:
        read_image(source)
    except DataDefect as error:
        print(time.process_time() - start, most() - before, error)
"""


@fault('A28', 'A29')
def test_bombs(tmp_path) -> None:
    names = []
    for side in (200, 20000, 40000):
        content = bomb(side)
        assert len(content) < 300_000
        names.append(f'{side}.png')
        (tmp_path / names[-1]).write_bytes(content)
    told = subprocess.run(
        [sys.executable, '-c', MEASURE, *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
    ).stdout
    lines = [line.split(' ', 2) for line in told.splitlines()]
    assert len(lines) == 4
    for (seconds, megabytes, error), side in zip(lines, (20000, 40000) * 2, strict=True):
        assert float(seconds) < 0.05 and float(megabytes) < 50, (seconds, megabytes)
        assert f'{side} x {side} = {side * side} pixels, more than 64000000' in error and 'FACELMK_MAX_PIXELS' in error


@fault('A28')
def test_the_limit_is_a_setting(picture, whole, tmp_path, monkeypatch) -> None:
    content = written(whole, 'PNG')
    for limit in (3199, 3200):
        monkeypatch.setenv('FACELMK_MAX_PIXELS', str(limit))
        for source in (content, whole):
            if limit < 3200:
                refused(source, '80 x 40 = 3200 pixels, more than 3199')
            else:
                assert np.array_equal(read_image(source), picture)
    assert np.array_equal(read_image(content, max_pixels=3200), picture)
    with pytest.raises(DataDefect, match='more than 100'):
        read_image(content, max_pixels=100)
    monkeypatch.setenv('FACELMK_MAX_PIXELS', 'many')
    refused(content, 'FACELMK_MAX_PIXELS=many', FacelmkError)


@pytest.mark.parametrize(
    'make, told',
    [
        pytest.param(
            lambda a: a.transpose(2, 0, 1), r'\(3, 40, 80\).*channels last: image.transpose', marks=fault('A34')
        ),
        pytest.param(
            lambda a: a.astype(np.float32) / 255, 'float32.*uint8.*image \\* 255', marks=fault('A35')
        ),
        pytest.param(
            lambda a: np.where(a > 9, a, np.nan), 'float64.*uint8.*image \\* 255', marks=fault('A36')
        ),
        pytest.param(lambda a: a[:0], r'shape \(0, 80, 3\)', marks=fault('A37')),
        pytest.param(lambda a: a[..., :0], r'shape \(40, 80, 0\)', marks=fault('A37')),
    ],
)
def test_arrays_that_are_no_pictures(make, told, picture) -> None:
    refused(make(picture), told, FacelmkError)
