"""One picture in every form that `read_picture` takes."""

import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from facelmk import DataDefect, FacelmkError, MissingResource
from facelmk.datasets.images.decode import read_image
from facelmk.inference.pictures import read_picture


@pytest.fixture
def path(tmp_path: Path, picture: np.ndarray) -> Path:
    """The picture as a file whose name is not plain."""
    path = tmp_path / 'ein Gesicht ü.png'
    path.write_bytes(cv2.imencode('.png', picture)[1].tobytes())
    return path


def test_all_forms_give_the_same_picture(path, picture) -> None:
    rgb = np.ascontiguousarray(picture[..., ::-1])
    forms = [
        path,
        str(path),
        path.read_bytes(),
        bytearray(path.read_bytes()),
        picture,
        Image.open(path),
        Image.fromarray(rgb),
        torch.from_numpy(rgb).permute(2, 0, 1),
    ]
    for form in forms:
        read = read_picture(form)
        assert np.array_equal(read, picture) and read.flags['C_CONTIGUOUS'], type(form)


def test_all_forms_give_the_same_landmarks(predictor, path, picture) -> None:
    expected = predictor(picture, 'full')[0].landmarks
    tensor = torch.from_numpy(picture[..., ::-1].copy()).permute(2, 0, 1)
    for form in (path, path.read_bytes(), Image.open(path), tensor):
        assert np.array_equal(predictor(form, 'full')[0].landmarks, expected)
    first, second = predictor(torch.stack([tensor, tensor.flip(2)]), 'full')
    assert np.allclose(first[0].landmarks, expected, atol=1e-3)
    assert not np.allclose(second[0].landmarks, expected, atol=1)
    assert len(predictor([path, picture], 'full')) == 2


def test_mirrored_views_are_read_in_their_order(predictor, picture) -> None:
    view = picture[:, ::-1]
    assert np.array_equal(predictor(view, 'full')[0].landmarks, predictor(view.copy(), 'full')[0].landmarks)


def test_grey_pictures_and_pictures_with_alpha(picture) -> None:
    grey = picture[..., 0]
    for form in (grey, grey[..., None], Image.fromarray(grey)):
        assert np.array_equal(read_picture(form), np.stack([grey] * 3, -1))
    clear = np.dstack([picture, np.zeros_like(grey)])
    assert np.array_equal(read_picture(clear), picture)
    assert np.array_equal(read_picture(Image.fromarray(clear[..., [2, 1, 0, 3]])), picture)


def test_tiny_pictures(predictor) -> None:
    (face,) = predictor(np.full((2, 3, 3), 90, np.uint8), 'full')
    assert np.isfinite(face.landmarks).all()


@pytest.mark.parametrize('orientation', range(1, 9))
def test_pictures_are_turned_upright(picture, tmp_path, orientation) -> None:
    """By the EXIF note, as in validation, for a path and for a PIL image."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / 'turned.png'
    Image.fromarray(picture[..., ::-1].copy()).save(path, exif=exif)
    expected = read_image(path)
    assert expected.shape == ((160, 140, 3) if orientation > 4 else (140, 160, 3))
    assert np.array_equal(read_picture(Image.open(path)), expected)
    assert np.array_equal(read_picture(path), expected)


@pytest.fixture
def server_url(path) -> Iterator[str]:
    """The URL of a server for the folder of the picture."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments, directory=str(path.parent))

        def log_message(self, *words) -> None:
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()


def test_a_picture_by_its_url(server_url, path, picture) -> None:
    path.rename(path.with_name('a.png'))
    assert np.array_equal(read_picture(f'{server_url}/a.png'), picture)
    with pytest.raises(MissingResource, match='b.png.*404'):
        read_picture(f'{server_url}/b.png')
    with pytest.raises(MissingResource, match='no host/a.png'):
        read_picture('http://no host/a.png')


def test_nothing_is_downloaded_offline(server_url, path, monkeypatch) -> None:
    monkeypatch.setenv('FACELMK_OFFLINE', '1')
    with pytest.raises(MissingResource, match='FACELMK_OFFLINE'):
        read_picture(f'{server_url}/{path.name}')


def test_files_and_bytes_without_a_picture_are_refused(tmp_path) -> None:
    with pytest.raises(MissingResource, match='none.jpg'):
        read_picture(tmp_path / 'none.jpg')
    for content in (b'', b'some text'):
        with pytest.raises(DataDefect, match='bytes'):
            read_picture(content)
    with pytest.raises(MissingResource, match='file:/+etc/hostname'):
        read_picture('file:///etc/hostname')


@pytest.mark.parametrize(
    'thing, fact',
    [
        (np.zeros((4, 4, 3), np.float32), 'float32.*uint8'),
        (np.zeros((3, 40, 40), np.uint8), r'\(3, 40, 40\)'),
        (np.zeros((0, 4, 3), np.uint8), r'\(0, 4, 3\)'),
        (np.zeros((2, 4, 4, 3), np.uint8), r'\(2, 4, 4, 3\)'),
        (torch.zeros(3, 4, 4), 'float32'),
        (torch.zeros(4, 4, 3, dtype=torch.uint8), r'\(4, 4, 3\)'),
        (Image.fromarray(np.zeros((4, 4), np.int32)), "mode 'I'"),
        (7, 'int.*path'),
    ],
)
def test_other_types_are_refused(thing, fact) -> None:
    with pytest.raises(FacelmkError, match=fact):
        read_picture(thing)


def test_a_pil_image_keeps_its_own_pixels(picture) -> None:
    """JPEG decoders may differ by one grey level; those of PIL stay."""
    file = io.BytesIO()
    Image.fromarray(picture[..., ::-1].copy()).save(file, 'JPEG', quality=95)
    opened = Image.open(io.BytesIO(file.getvalue()))
    assert np.array_equal(read_picture(opened), np.asarray(opened)[..., ::-1])
