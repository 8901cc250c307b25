"""Block A of the fault table: valid pictures in every format and from every source."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facelmk.datasets.images.decode import read_image

from .encode import encode

fault = pytest.mark.fault
UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # by EXIF 2.3
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def read_all_ways(content: bytes, folder: Path, name: str = 'a.picture') -> list[np.ndarray]:
    """Return a file's pixels, read from Path, str, bytes, PIL image and array."""
    path = folder / name
    path.write_bytes(content)
    first = read_image(path)
    result = [first, read_image(str(path)), read_image(content), read_image(Image.open(path)), read_image(first)]
    assert all(one.dtype == np.uint8 and one.flags['C_CONTIGUOUS'] and one.shape == first.shape for one in result)
    return result


def check_all_ways(content: bytes, expected: np.ndarray, folder: Path, within: int = 0) -> None:
    for number, result in enumerate(read_all_ways(content, folder)):
        assert result.shape == expected.shape, number
        assert np.abs(result.astype(int) - expected).max() <= within, number


@pytest.mark.parametrize('turn', [pytest.param(i, marks=fault(f'A{i:02}')) for i in UPRIGHT])
def test_every_orientation(turn, picture, pillow_image, tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    for kind, options in (('PNG', {}), ('TIFF', {}), ('WEBP', dict(lossless=True))):
        check_all_ways(encode(pillow_image, kind, exif=exif, **options), UPRIGHT[turn](picture), tmp_path)
    plain = read_image(encode(pillow_image, 'JPEG', quality=95))
    check_all_ways(encode(pillow_image, 'JPEG', quality=95, exif=exif), UPRIGHT[turn](plain), tmp_path, 1)


def grey_of(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture[..., :1], 3, 2)


@fault('A09')
def test_grey(picture, tmp_path) -> None:
    for kind in ('PNG', 'TIFF', 'BMP', 'PPM'):
        check_all_ways(encode(Image.fromarray(picture[..., 0]), kind), grey_of(picture), tmp_path)


@fault('A10')
def test_grey_with_alpha(picture, tmp_path) -> None:
    image = Image.fromarray(np.dstack([picture[..., 0], picture[..., 1]]), 'LA')
    check_all_ways(encode(image, 'PNG'), grey_of(picture), tmp_path)


@fault('A11')
def test_palette(pillow_image, tmp_path) -> None:
    image = pillow_image.quantize(16)
    expected = np.array(image.getpalette('RGB')).reshape(-1, 3)[np.asarray(image)][..., ::-1]
    check_all_ways(encode(image, 'PNG'), expected, tmp_path)
    check_all_ways(encode(image, 'PNG', transparency=3), expected, tmp_path)


@fault('A12')
def test_one_bit(picture, tmp_path) -> None:
    bits = picture[..., 0] > 127
    check_all_ways(encode(Image.fromarray(bits), 'PNG'), np.repeat(bits[..., None] * 255, 3, 2), tmp_path)


@fault('A13')
def test_alpha_is_dropped(picture, pillow_image, tmp_path) -> None:
    pillow_image.putalpha(Image.fromarray(picture[..., 2]))
    for kind, options in (('PNG', {}), ('TIFF', {}), ('WEBP', dict(lossless=True, exact=True))):
        check_all_ways(encode(pillow_image, kind, **options), picture, tmp_path)


@fault('A14')
def test_cmyk(tmp_path) -> None:
    """The plain conversion: each colour is the share of light that its ink and black let through."""
    inks = np.array([[10, 200, 60, 30], [120, 0, 255, 0], [0, 0, 0, 200]], np.uint8)
    wide = np.repeat(np.repeat(inks[None], 16, 0), 16, 1)
    cyan, magenta, yellow, black = (255.0 - wide.astype(float)).transpose(2, 0, 1)
    expected = np.dstack([yellow * black, magenta * black, cyan * black]) / 255
    check_all_ways(encode(Image.fromarray(wide, 'CMYK'), 'JPEG', quality=100, subsampling=0), expected, tmp_path, 2)


def with_16_bits(picture: np.ndarray) -> np.ndarray:
    """Return 16 bits; the lower 8 come from another pixel."""
    return picture.astype(np.uint16) * 256 + picture[::-1]


@fault('A15')
def test_grey_of_16_bits(picture, tmp_path) -> None:
    for kind in ('PNG', 'TIFF'):
        check_all_ways(encode(Image.fromarray(with_16_bits(picture)[..., 0]), kind), grey_of(picture), tmp_path)


@fault('A16')
def test_colours_of_16_bits(picture, tmp_path) -> None:
    check_all_ways(cv2.imencode('.png', with_16_bits(picture))[1].tobytes(), picture, tmp_path)


@fault('A18')
def test_gif(pillow_image, tmp_path) -> None:
    image = pillow_image.quantize(64)
    expected = np.asarray(image.convert('RGB'))[..., ::-1]
    check_all_ways(encode(image, 'GIF', save_all=True, append_images=[image.rotate(180)]), expected, tmp_path)


@fault('A19')
def test_the_first_picture_of_an_animation(picture, pillow_image, tmp_path) -> None:
    check_all_ways(
        encode(pillow_image, 'WEBP', save_all=True, append_images=[pillow_image.rotate(180)], lossless=True),
        picture,
        tmp_path,
    )


@fault('A20')
def test_the_first_of_two_pictures(pillow_image, tmp_path) -> None:
    expected = read_image(encode(pillow_image, 'JPEG', quality=95))
    content = encode(pillow_image, 'MPO', save_all=True, append_images=[pillow_image.rotate(180)], quality=95)
    check_all_ways(content, expected, tmp_path, 1)


@fault('A21')
def test_the_extension_does_not_matter(picture, pillow_image, tmp_path) -> None:
    for kind, name in (('PNG', 'a.jpg'), ('BMP', 'a.png'), ('WEBP', 'a'), ('PNG', 'a.txt')):
        for result in read_all_ways(
            encode(pillow_image, kind, **dict(lossless=True) if kind == 'WEBP' else {}), tmp_path, name
        ):
            assert np.array_equal(result, picture)


@fault('A30')
def test_one_pixel(predictor, tmp_path) -> None:
    pixel = np.array([[[10, 20, 30]]], np.uint8)
    check_all_ways(encode(Image.fromarray(pixel[..., ::-1].copy()), 'PNG'), pixel, tmp_path)
    (face,) = predictor(pixel, 'full')
    assert np.isfinite(face.landmarks).all() and np.isfinite(face.scores).all()


@fault('A31')
def test_file_names_with_any_letters(picture, pillow_image, tmp_path) -> None:
    for name in ('a b.png', 'Zwölf Gesichter\nund mehr.png', '顔 лицо وجه.png', 'quote\'s "double".png'):
        for result in read_all_ways(encode(pillow_image, 'PNG'), tmp_path, name):
            assert np.array_equal(result, picture)


@fault('A32')
def test_arrays_of_grey(picture) -> None:
    for grey in (picture[..., 0], picture[..., :1]):
        assert np.array_equal(read_image(grey), grey_of(picture))


@fault('A33')
def test_arrays_with_alpha(picture) -> None:
    assert np.array_equal(read_image(np.dstack([picture, picture[..., 0]])), picture)


@fault('A38')
def test_array_views_are_read_as_they_look(picture, predictor) -> None:
    for view in (picture[::-1, ::-1], picture[..., ::-1], picture[::2, ::-3], picture.swapaxes(0, 1)):
        result = read_image(view)
        assert np.array_equal(result, view.copy()) and result.flags['C_CONTIGUOUS']
    one, other = (predictor(a, 'full')[0].landmarks for a in (picture[:, ::-1], picture[:, ::-1].copy()))
    assert np.array_equal(one, other)


@fault('A39')
def test_one_picture_from_every_source(picture, pillow_image, tmp_path) -> None:
    for kind in ('PNG', 'BMP', 'TIFF', 'PPM'):
        check_all_ways(encode(pillow_image, kind), picture, tmp_path)
    for option in (dict(quality=95), dict(quality=70, progressive=True), dict(quality=90, subsampling=0)):
        content = encode(pillow_image, 'JPEG', **option)
        check_all_ways(content, read_image(content), tmp_path, 1)
