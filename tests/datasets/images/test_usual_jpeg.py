"""The quick reading of a JPEG's size: equal to the thorough one, and silent about everything unusual."""

import io

import numpy as np
import pytest
from PIL import Image

from facelmk.datasets.images import limits
from facelmk.datasets.images.usual_jpeg import read_usual_jpeg


def jpeg(size: tuple[int, int] = (37, 21), mode: str = 'RGB', **options) -> bytes:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), np.uint8)).convert(mode)
    file = io.BytesIO()
    picture.save(file, 'JPEG', **options)
    return file.getvalue()


@pytest.mark.parametrize('mode', ['RGB', 'L', 'CMYK'])
@pytest.mark.parametrize(
    'options', [{}, {'optimize': True}, {'quality': 100, 'subsampling': 0}, {'comment': b'x' * 99}]
)
def test_it_reads_the_size_of_usual_files(mode, options) -> None:
    content = jpeg((37, 21), mode, **options)
    usual = read_usual_jpeg(content)
    assert usual is not None and usual[:2] == (37, 21) and content[usual.scan_at :].startswith(b'\xff\xda')
    assert content[usual.height_at : usual.height_at + 4] == b'\0\x15\0\x25'


def test_the_scans_of_a_usual_file_are_not_counted(monkeypatch) -> None:
    monkeypatch.setattr(limits, '_check_scans', lambda *_: pytest.fail('counted'))
    assert limits.read_header(jpeg()) == ('JPEG', 37, 21)
    with pytest.raises(pytest.fail.Exception):
        limits.read_header(jpeg(progressive=True))


def frame_of(content: bytes) -> tuple[int, bytes]:
    """Where the segment with the size begins, and the segment."""
    start = content.index(b'\xff\xc0')
    return start, content[start : start + 2 + int.from_bytes(content[start + 2 : start + 4], 'big')]


def unusual() -> dict[str, bytes]:
    content = jpeg()
    start, frame = frame_of(content)
    scan = content.index(b'\xff\xda')
    one_channel = content[: scan + 4] + b'\1' + content[scan + 5 :]
    return {
        'progressive': jpeg(progressive=True),
        'two sizes': content[:start] + frame + content[start:],
        'size after the scan': content[:start] + content[start + len(frame) :],
        'fill bytes': content[:start] + b'\xff' + content[start:],
        'bytes between segments': content[:start] + b'\0' + content[start:],
        'first scan of several': one_channel,
        'no height': content[: start + 5] + b'\0\0' + content[start + 7 :],
        'arithmetic coding': content[: start + 1] + b'\xc9' + content[start + 2 :],
        'many comments': content[:2] + b'\xff\xfe\0\2' * 200 + content[2:],
        'restart marker': content[:start] + b'\xff\xd0' + content[start:],
        'cut off in the header': content[: scan - 4],
        'start only': content[:2],
    }


@pytest.mark.parametrize('name', list(unusual()))
def test_everything_else_is_left_to_the_thorough_check(name) -> None:
    assert read_usual_jpeg(unusual()[name]) is None
