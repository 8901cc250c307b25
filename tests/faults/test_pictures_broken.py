"""Block A of the fault table: files that are no pictures, damaged pictures, and pictures that are too large."""

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

from .encode import encode

fault = pytest.mark.fault
ROOT = Path(__file__).parents[2]


def check_refused(source, reason: str, error: type[FacelmkError] = DataDefect) -> None:
    """Check that reading raises an error with the reason, and with the name of the file."""
    with pytest.raises(error, match=reason) as caught:
        read_image(source)
    assert not isinstance(source, (str, Path)) or Path(source).name in str(caught.value)
    assert caught.value.exit_code == {DataDefect: 4, MissingResource: 3, FacelmkError: 2}[error]


def check_both_refused(content: bytes, reason: str, folder: Path, name: str) -> None:
    """Check that reading fails from a file and from bytes."""
    (folder / name).write_bytes(content)
    check_refused(folder / name, reason)
    check_refused(content, 'these bytes: no picture.*' + reason)


@fault('A17')
def test_floating_point_pixels(picture, tmp_path) -> None:
    image = Image.fromarray(picture[..., 0].astype(np.float32) / 255)
    check_both_refused(encode(image, 'TIFF'), 'floating-point.*save it with 8 bits', tmp_path, 'f.tif')
    check_refused(image, "mode 'F'", FacelmkError)


@fault('A22')
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'PPM'])
def test_cut_off(kind, pillow_image, tmp_path) -> None:
    content = encode(pillow_image, kind)
    for share in (0.02, 0.3, 0.6, 0.95):
        check_both_refused(content[: int(len(content) * share)], r'\d+ bytes', tmp_path, 'cut.picture')
    if kind in ('JPEG', 'PNG', 'BMP', 'GIF'):  # Pillow decodes them late
        (tmp_path / 'late.picture').write_bytes(content[: int(len(content) * 0.6)])
        check_refused(Image.open(tmp_path / 'late.picture'), 'late.picture: no picture')


@fault('A22')
def test_a_chunk_that_claims_gigabytes(pillow_image) -> None:
    """OpenCV alone needs half a minute, and the claimed memory."""
    content = bytearray(encode(pillow_image, 'PNG'))
    place = content.index(b'IDAT') - 4
    for length in (1 << 24, (1 << 31) - 1, (1 << 32) - 1):
        content[place : place + 4] = struct.pack('>I', length)
        start = time.process_time()
        check_refused(content, 'no picture: a PNG that is damaged')
        assert time.process_time() - start < 5  # half a minute without the limit


@fault('A22')
def test_random_damage(pillow_image) -> None:
    """The result is a picture or DataDefect, never cv2.error, struct.error or IndexError."""
    rng = np.random.default_rng(1)
    files = [encode(pillow_image, kind) for kind in ('JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'PPM')]
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
    check_both_refused(b'', r'empty \(0 bytes\)', tmp_path, 'a.jpg')


@fault('A24')
def test_web_pages(tmp_path) -> None:
    check_both_refused(b'\n<!DOCTYPE html><html><body>404</body></html>', 'a web page', tmp_path, 'a.jpg')
    check_both_refused(b'<html>', 'a web page', tmp_path, 'b.jpg')
    check_both_refused(b'plain text', 'no known format.*JPEG, PNG', tmp_path, 'c.jpg')


@fault('A25')
def test_folders(tmp_path) -> None:
    check_refused(tmp_path, 'is a folder')
    os.mkfifo(tmp_path / 'pipe')
    check_refused(tmp_path / 'pipe', 'a device or a pipe')


@fault('A26')
def test_missing(tmp_path) -> None:
    check_refused(tmp_path / 'none.jpg', f'cannot be read.*No such file.*from {Path.cwd()}', MissingResource)
    (tmp_path / 'file').touch()
    check_refused(tmp_path / 'file' / 'a.jpg', 'Not a directory', MissingResource)
    with pytest.raises(DataDefect, match='null byte'):
        read_image('a\0.jpg')
    with pytest.raises(DataDefect, match='too long'):
        read_image('a' * 300 + '.jpg')


@fault('A27')
def test_no_permission(as_nobody, pillow_image) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, 'mine.png')
        path.write_bytes(encode(pillow_image, 'PNG'))
        os.chmod(path, 0o604)
        assert isinstance(as_nobody(lambda: read_image(path).shape), tuple)
        os.chmod(path, 0)
        error = as_nobody(lambda: read_image(path))
    assert isinstance(error, DataDefect) and 'mine.png' in str(error) and 'Permission denied' in str(error)


def bomb(side: int) -> bytes:
    """Return a white PNG of 1 bit per pixel."""

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
    reason = subprocess.run(
        [sys.executable, '-c', MEASURE, *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
    ).stdout
    lines = [line.split(' ', 2) for line in reason.splitlines()]
    assert len(lines) == 4
    for (seconds, megabytes, error), side in zip(lines, (20000, 40000) * 2, strict=True):
        assert float(seconds) < 0.05 and float(megabytes) < 50, (seconds, megabytes)
        assert f'{side} x {side} = {side * side} pixels, more than 64000000' in error and 'FACELMK_MAX_PIXELS' in error


@fault('A28')
def test_the_limit_is_a_setting(picture, pillow_image, tmp_path, monkeypatch) -> None:
    content = encode(pillow_image, 'PNG')
    for limit in (3199, 3200):
        monkeypatch.setenv('FACELMK_MAX_PIXELS', str(limit))
        for source in (content, pillow_image):
            if limit < 3200:
                check_refused(source, '80 x 40 = 3200 pixels, more than 3199')
            else:
                assert np.array_equal(read_image(source), picture)
    assert np.array_equal(read_image(content, max_pixels=3200), picture)
    with pytest.raises(DataDefect, match='more than 100'):
        read_image(content, max_pixels=100)
    monkeypatch.setenv('FACELMK_MAX_PIXELS', 'many')
    check_refused(content, 'FACELMK_MAX_PIXELS=many', FacelmkError)


@pytest.mark.parametrize(
    'make, reason',
    [
        pytest.param(
            lambda a: a.transpose(2, 0, 1), r'\(3, 40, 80\).*channels last: image.transpose', marks=fault('A34')
        ),
        pytest.param(lambda a: a.astype(np.float32) / 255, 'float32.*uint8.*image \\* 255', marks=fault('A35')),
        pytest.param(lambda a: np.where(a > 9, a, np.nan), 'float64.*uint8.*image \\* 255', marks=fault('A36')),
        pytest.param(lambda a: a[:0], r'shape \(0, 80, 3\)', marks=fault('A37')),
        pytest.param(lambda a: a[..., :0], r'shape \(40, 80, 0\)', marks=fault('A37')),
    ],
)
def test_arrays_that_are_no_pictures(make, reason, picture) -> None:
    check_refused(make(picture), reason, FacelmkError)
