"""Block A: pictures in every form, whole and broken."""
import io
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facelmk import DataDefect, FacelmkError, MissingResource
from facelmk.datasets.pictures import read_image

fault = pytest.mark.fault
ROOT = Path(__file__).parents[2]
UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # by EXIF 2.3, what row 0 and column 0 are
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, -1), 7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a)}


@pytest.fixture(scope='module')
def picture() -> np.ndarray:
    """A smooth picture (40, 80, 3) BGR, of no symmetry."""
    coarse = np.random.default_rng(0).integers(0, 255, (6, 11, 3), np.uint8)
    return cv2.resize(coarse, (80, 40), interpolation=cv2.INTER_LINEAR)


@pytest.fixture
def whole(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(picture[..., ::-1]))


def written(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def all_ways(content: bytes, folder: Path, name: str = 'a.picture') -> list[np.ndarray]:
    """One file's pixels as path, text, bytes, PIL image, and as the array that it is read as."""
    path = folder / name
    path.write_bytes(content)
    first = read_image(path)
    found = [first, read_image(str(path)), read_image(content), read_image(Image.open(path)), read_image(first)]
    assert all(one.dtype == np.uint8 and one.flags['C_CONTIGUOUS'] and one.shape == first.shape for one in found)
    return found


def same(content: bytes, wanted: np.ndarray, folder: Path, within: int = 0) -> None:
    for number, found in enumerate(all_ways(content, folder)):
        assert found.shape == wanted.shape, number
        assert np.abs(found.astype(int) - wanted).max() <= within, number


@pytest.mark.parametrize('turn', [pytest.param(i, marks=fault(f'A{i:02}')) for i in UPRIGHT])
def test_every_orientation(turn, picture, whole, tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    for kind, options in (('PNG', {}), ('TIFF', {}), ('WEBP', dict(lossless=True))):
        same(written(whole, kind, exif=exif, **options), UPRIGHT[turn](picture), tmp_path)
    plain = read_image(written(whole, 'JPEG', quality=95))
    same(written(whole, 'JPEG', quality=95, exif=exif), UPRIGHT[turn](plain), tmp_path, 1)


def grey_of(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture[..., :1], 3, 2)


@fault('A09')
def test_grey(picture, tmp_path) -> None:
    for kind in ('PNG', 'TIFF', 'BMP', 'PPM'):
        same(written(Image.fromarray(picture[..., 0]), kind), grey_of(picture), tmp_path)


@fault('A10')
def test_grey_with_alpha(picture, tmp_path) -> None:
    image = Image.fromarray(np.dstack([picture[..., 0], picture[..., 1]]), 'LA')
    same(written(image, 'PNG'), grey_of(picture), tmp_path)


@fault('A11')
def test_palette(whole, tmp_path) -> None:
    image = whole.quantize(16)
    wanted = np.array(image.getpalette('RGB')).reshape(-1, 3)[np.asarray(image)][..., ::-1]
    same(written(image, 'PNG'), wanted, tmp_path)
    same(written(image, 'PNG', transparency=3), wanted, tmp_path)


@fault('A12')
def test_one_bit(picture, tmp_path) -> None:
    bits = picture[..., 0] > 127
    same(written(Image.fromarray(bits), 'PNG'), np.repeat(bits[..., None] * 255, 3, 2), tmp_path)


@fault('A13')
def test_alpha_is_dropped(picture, whole, tmp_path) -> None:
    whole.putalpha(Image.fromarray(picture[..., 2]))
    for kind, options in (('PNG', {}), ('TIFF', {}), ('WEBP', dict(lossless=True, exact=True))):
        same(written(whole, kind, **options), picture, tmp_path)


@fault('A14')
def test_cmyk(tmp_path) -> None:
    """The plain conversion: each colour is what its ink and black let through."""
    inks = np.array([[10, 200, 60, 30], [120, 0, 255, 0], [0, 0, 0, 200]], np.uint8)
    wide = np.repeat(np.repeat(inks[None], 16, 0), 16, 1)
    cyan, magenta, yellow, black = (255. - wide.astype(float)).transpose(2, 0, 1)
    wanted = np.dstack([yellow * black, magenta * black, cyan * black]) / 255
    same(written(Image.fromarray(wide, 'CMYK'), 'JPEG', quality=100, subsampling=0), wanted, tmp_path, 2)


def deep(picture: np.ndarray) -> np.ndarray:
    """16 bits whose lower 8 are those of another pixel."""
    return picture.astype(np.uint16) * 256 + picture[::-1]


@fault('A15')
def test_grey_of_16_bits(picture, tmp_path) -> None:
    for kind in ('PNG', 'TIFF'):
        same(written(Image.fromarray(deep(picture)[..., 0]), kind), grey_of(picture), tmp_path)


@fault('A16')
def test_colours_of_16_bits(picture, tmp_path) -> None:
    same(cv2.imencode('.png', deep(picture))[1].tobytes(), picture, tmp_path)


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


@fault('A18')
def test_gif(whole, tmp_path) -> None:
    image = whole.quantize(64)
    wanted = np.asarray(image.convert('RGB'))[..., ::-1]
    same(written(image, 'GIF', save_all=True, append_images=[image.rotate(180)]), wanted, tmp_path)


@fault('A19')
def test_of_an_animation_the_first(picture, whole, tmp_path) -> None:
    same(written(whole, 'WEBP', save_all=True, append_images=[whole.rotate(180)], lossless=True), picture, tmp_path)


@fault('A20')
def test_of_two_pictures_the_first(whole, tmp_path) -> None:
    wanted = read_image(written(whole, 'JPEG', quality=95))
    content = written(whole, 'MPO', save_all=True, append_images=[whole.rotate(180)], quality=95)
    same(content, wanted, tmp_path, 1)


@fault('A21')
def test_the_extension_says_nothing(picture, whole, tmp_path) -> None:
    for kind, name in (('PNG', 'a.jpg'), ('BMP', 'a.png'), ('WEBP', 'a'), ('PNG', 'a.txt')):
        for found in all_ways(written(whole, kind, **dict(lossless=True) if kind == 'WEBP' else {}), tmp_path, name):
            assert np.array_equal(found, picture)


@fault('A22')
@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'WEBP', 'BMP', 'TIFF', 'GIF', 'PPM'])
def test_cut_off(kind, whole, tmp_path) -> None:
    content = written(whole, kind)
    for share in (.02, .3, .6, .95):
        both_refused(content[:int(len(content) * share)], r'\d+ bytes', tmp_path, 'cut.picture')
    if kind in ('JPEG', 'PNG', 'BMP', 'GIF'):  # which PIL reads late
        (tmp_path / 'late.picture').write_bytes(content[:int(len(content) * .6)])
        refused(Image.open(tmp_path / 'late.picture'), 'late.picture: no picture')


@fault('A22')
def test_a_chunk_that_claims_gigabytes(whole) -> None:
    """OpenCV alone takes half a minute, and as much memory."""
    content = bytearray(written(whole, 'PNG'))
    place = content.index(b'IDAT') - 4
    for length in (1 << 24, (1 << 31) - 1, (1 << 32) - 1):
        content[place:place + 4] = struct.pack('>I', length)
        start = time.perf_counter()
        refused(content, 'no picture: a PNG that is damaged')
        assert time.perf_counter() - start < .2


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
    both_refused(b'plain text', 'no format that is known here.*JPEG, PNG', tmp_path, 'c.jpg')


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


MEASURE = '''
import re, sys, time
from pathlib import Path
from facelmk import DataDefect
from facelmk.datasets.pictures import read_image

def most():
    return int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) / 1024

assert read_image(sys.argv[1]).shape == (200, 200, 3)
for source in (*sys.argv[2:], *(Path(path).read_bytes() for path in sys.argv[2:])):
    Path('/proc/self/clear_refs').write_text('5')
    before, start = most(), time.perf_counter()
    try:
        read_image(source)
    except DataDefect as error:
        print(time.perf_counter() - start, most() - before, error)
'''


@fault('A28', 'A29')
def test_bombs(tmp_path) -> None:
    names = []
    for side in (200, 20000, 40000):
        content = bomb(side)
        assert len(content) < 300_000
        names.append(f'{side}.png')
        (tmp_path / names[-1]).write_bytes(content)
    told = subprocess.run([sys.executable, '-c', MEASURE, *names], cwd=tmp_path, capture_output=True, text=True,
                          check=True, env=os.environ | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}).stdout
    lines = [line.split(' ', 2) for line in told.splitlines()]
    assert len(lines) == 4
    for (seconds, megabytes, error), side in zip(lines, (20000, 40000) * 2, strict=True):
        assert float(seconds) < .05 and float(megabytes) < 50, (seconds, megabytes)
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


@fault('A30')
def test_one_pixel(predictor, tmp_path) -> None:
    pixel = np.array([[[10, 20, 30]]], np.uint8)
    same(written(Image.fromarray(pixel[..., ::-1].copy()), 'PNG'), pixel, tmp_path)
    (face,) = predictor(pixel, 'full')
    assert np.isfinite(face.landmarks).all() and np.isfinite(face.scores).all()


@fault('A31')
def test_names_of_any_letters(picture, whole, tmp_path) -> None:
    for name in ('a b.png', 'Zwölf Gesichter\nund mehr.png', '顔 лицо وجه.png', "quote's \"double\".png"):
        for found in all_ways(written(whole, 'PNG'), tmp_path, name):
            assert np.array_equal(found, picture)


@fault('A32')
def test_arrays_of_grey(picture) -> None:
    for grey in (picture[..., 0], picture[..., :1]):
        assert np.array_equal(read_image(grey), grey_of(picture))


@fault('A33')
def test_arrays_with_alpha(picture) -> None:
    assert np.array_equal(read_image(np.dstack([picture, picture[..., 0]])), picture)


@pytest.mark.parametrize('make, told', [
    pytest.param(lambda a: a.transpose(2, 0, 1), r'\(3, 40, 80\).*channels last: image.transpose', marks=fault('A34')),
    pytest.param(lambda a: a.astype(np.float32) / 255, 'float32.*expected uint8.*image \\* 255', marks=fault('A35')),
    pytest.param(lambda a: np.where(a > 9, a, np.nan), 'float64.*expected uint8.*image \\* 255', marks=fault('A36')),
    pytest.param(lambda a: a[:0], r'shape \(0, 80, 3\)', marks=fault('A37')),
    pytest.param(lambda a: a[..., :0], r'shape \(40, 80, 0\)', marks=fault('A37')),
])
def test_arrays_that_are_no_pictures(make, told, picture) -> None:
    refused(make(picture), told, FacelmkError)


@fault('A38')
def test_views_are_taken_as_they_look(picture, predictor) -> None:
    for view in (picture[::-1, ::-1], picture[..., ::-1], picture[::2, ::-3], picture.swapaxes(0, 1)):
        found = read_image(view)
        assert np.array_equal(found, view.copy()) and found.flags['C_CONTIGUOUS']
    one, other = (predictor(a, 'full')[0].landmarks for a in (picture[:, ::-1], picture[:, ::-1].copy()))
    assert np.array_equal(one, other)


@fault('A39')
def test_one_picture_in_every_form(picture, whole, tmp_path) -> None:
    for kind in ('PNG', 'BMP', 'TIFF', 'PPM'):
        same(written(whole, kind), picture, tmp_path)
    for option in (dict(quality=95), dict(quality=70, progressive=True), dict(quality=90, subsampling=0)):
        content = written(whole, 'JPEG', **option)
        same(content, read_image(content), tmp_path, 1)
