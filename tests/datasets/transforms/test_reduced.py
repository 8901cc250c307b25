"""LoadImage(reduced=...): JPEGs decoded at a part of their size give almost the same crops, at the same place."""

from pathlib import Path

import numpy as np
import pytest
from helpers.photographs import Photographed, encode, noise
from PIL import Image

from facelmk import DataDefect, FacelmkError
from facelmk.datasets import CropFace, LoadImage, PackFace
from facelmk.datasets.base import build_steps
from facelmk.datasets.transforms import load


def dot(width: int, height: int, at: tuple[int, int]) -> Image.Image:
    """A soft white dot on grey, so that its place can be measured."""
    y, x = np.mgrid[:height, :width]
    level = 60 + 190 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * 25**2))
    return Image.fromarray(np.repeat(level.astype(np.uint8)[..., None], 3, 2))


def crop(path: Path, box: list[float], **options) -> dict:
    sample = Photographed(path.parent).face(0) | dict(path=str(path), box=np.array(box, np.float32))
    sample |= dict(markup=Photographed(path.parent).markup, rng=np.random.default_rng(0), epoch=0)
    for step in build_steps([LoadImage(**options), CropFace(64)]):
        sample = step(sample)
    return sample


def place(image: np.ndarray) -> np.ndarray:
    """The middle of the dot in a crop."""
    weight = image[..., 0].astype(float) - image[..., 0].min()
    y, x = np.mgrid[: len(weight), : len(weight)]
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize('side', [128, 140, 260, 530])
@pytest.mark.parametrize('turn', [None, 6, 2])
def test_a_dot_stays_where_it_is(tmp_path, side, turn) -> None:
    file, options = tmp_path / 'dot.jpg', {'quality': 95}
    if turn is not None:
        exif = Image.new('RGB', (1, 1)).getexif()
        exif[0x0112] = turn
        options['exif'] = exif
    size, at = ((911, 943), (450, 460)) if turn != 6 else ((943, 911), (460, 450))
    file.write_bytes(encode(dot(*size, at), **options))
    box = [450 - side / 2, 450 - side / 2, 450 + side / 2, 450 + side / 2]
    whole, reduced = crop(file, box), crop(file, box, reduced=64)
    assert np.array_equal(whole['warp'], reduced['warp'])
    assert np.abs(place(whole['image']) - place(reduced['image'])).max() < 0.35
    assert np.abs(whole['image'].astype(int) - reduced['image']).mean() < 4


def test_small_faces_are_read_as_before(tmp_path, monkeypatch) -> None:
    file = tmp_path / '0.jpg'
    file.write_bytes(encode(noise()))
    monkeypatch.setattr(load, 'decode_reduced', lambda *_: pytest.fail('reduced'))
    box = [10, 10, 100, 80]
    assert np.array_equal(crop(file, box)['image'], crop(file, box, reduced=64)['image'])


def test_other_formats_and_broken_files(tmp_path) -> None:
    file = tmp_path / '0.jpg'
    file.write_bytes(encode(noise(300, 300), 'PNG'))
    box = [10, 10, 250, 250]
    assert np.array_equal(crop(file, box)['image'], crop(file, box, reduced=64)['image'])
    file.write_bytes(encode(noise(300, 300))[:300])
    with pytest.raises(DataDefect) as expected:
        crop(file, box)
    with pytest.raises(DataDefect) as raised:
        crop(file, box, reduced=64)
    assert str(expected.value) == str(raised.value)
    file.write_bytes(encode(noise(300, 300)))
    with pytest.raises(DataDefect, match='more than 100'):
        crop(file, box, reduced=64, max_pixels=100)


def test_whole_pixels_cannot_be_cut_from_it() -> None:
    with pytest.raises(FacelmkError, match='integer'):
        build_steps([LoadImage(reduced=64), CropFace(64, integer=True), PackFace()])
