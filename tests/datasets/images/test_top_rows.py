"""The upper rows of a JPEG are equal to those of the whole picture, and the decoder prints nothing."""

import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest
from helpers.photographs import encode, noise

from facelmk.datasets.images.top_rows import decode_top_rows
from facelmk.datasets.images.usual_jpeg import read_usual_jpeg

KINDS = {  # what an encoder may choose
    '4:2:0': dict(quality=90, subsampling=2),
    '4:2:2': dict(quality=90, subsampling=1),
    '4:4:4': dict(quality=100, subsampling=0),
    'best tables': dict(quality=75, optimize=True),
    'coarse': dict(quality=5),
    'grey': dict(quality=90),
}
WHOLE = {  # files that must be decoded whole
    'progressive': dict(quality=90, progressive=True),
    'restart markers': dict(),
}


def picture(kind: str, width: int, height: int, **options) -> bytes:
    if kind == 'restart markers':
        return cv2.imencode('.jpg', np.asarray(noise(width, height)), [cv2.IMWRITE_JPEG_RST_INTERVAL, 4])[1].tobytes()
    return encode(noise(width, height).convert('L' if kind == 'grey' else 'RGB'), **options)


def top_rows(content: bytes, rows: int) -> np.ndarray | None:
    header = read_usual_jpeg(content)
    return None if header is None else decode_top_rows(content, header, rows)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('size', [(120, 90), (67, 131), (16, 400), (1, 99)])
def test_the_rows_are_equal(kind, size) -> None:
    content = picture(kind, *size, **KINDS[kind])
    whole = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    for rows in (0, 1, 7, 8, 15, 16, 17, 31, 50, 64):
        assert np.array_equal(top_rows(content, rows), whole[:rows]), rows


@pytest.mark.parametrize('kind', WHOLE)
def test_other_files_are_decoded_whole(kind) -> None:
    assert top_rows(picture(kind, 120, 190, **WHOLE[kind]), 20) is None


def test_files_that_are_cut_off_or_have_exif_data_are_decoded_whole() -> None:
    content = picture('4:2:0', 120, 190)
    assert top_rows(content, 20) is not None and top_rows(content, 170) is None
    assert top_rows(content[:-2], 20) is None
    assert top_rows(content[:2] + b'\xff\xe1\0\x08Exif\0\0' + content[2:], 20) is None


def test_the_decoder_prints_nothing(tmp_path) -> None:
    """In a process, because the decoder writes to its standard error."""
    content = picture('4:2:0', 400, 600, quality=95)
    comment = content[:-2] + b'\xff\xfe\0\x05abc\xff\xd9'
    for number, file in enumerate((content + b'what phones store behind', content + content, comment)):
        (tmp_path / f'{number}.jpg').write_bytes(file)
    code = (
        'import sys\n'
        'from facelmk.datasets.images.top_rows import *\n'
        'from facelmk.datasets.images.usual_jpeg import *\n'
        'for number in range(3):\n'
        '    content = open(f"{sys.argv[1]}/{number}.jpg", "rb").read()\n'
        '    for rows in range(0, 500, 50):\n'
        '        picture = decode_top_rows(content, read_usual_jpeg(content), rows)\n'
        '        assert (picture is None) == (number == 2) and (picture is None or len(picture) == rows)\n'
    )
    ended = subprocess.run([sys.executable, '-c', code, tmp_path], capture_output=True, text=True, check=True)
    assert ended.stdout + ended.stderr == ''


@pytest.mark.parametrize('name', [b'Exif\0\0', b'EXIF\0\0', b'xxxxxx'])
def test_turned_pictures_are_decoded_whole(name) -> None:
    """OpenCV turns by the TIFF data of a segment APP1, whatever its name is."""
    content = picture('4:2:0', 120, 190)
    body = name + b'II*\0' + struct.pack('<IH', 8, 1) + struct.pack('<HHIHH', 0x112, 3, 1, 3, 0) + bytes(4)
    assert top_rows(content[:2] + b'\xff\xe1' + struct.pack('>H', 2 + len(body)) + body + content[2:], 20) is None
