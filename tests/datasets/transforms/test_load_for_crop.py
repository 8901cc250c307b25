"""Pictures are decoded as far as their crop needs, unless a step of the pipeline may read more of them."""

from pathlib import Path

import pytest
from helpers.photographs import Photographed, encode, noise

from facelmk import DataDefect
from facelmk.datasets import CropFace, LoadImage
from facelmk.datasets.crops import late_part
from facelmk.datasets.images import decode
from facelmk.errors import MissingResource


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(4):
        (tmp_path / f'{number}.jpg').write_bytes(encode(noise(120, 400, seed=number)))
    return tmp_path


class GreyPictures(LoadImage):
    """A load step of another project, which changes what it has loaded."""

    def transform(self, sample: dict) -> dict:
        sample = super().transform(sample)
        sample['image'] = sample['image'] // 2
        return sample


class WhitePictures(CropFace):
    """A crop step of another project, which changes what it crops."""

    def transform(self, sample: dict) -> dict:
        sample['image'] = 255 - sample['image']
        return super().transform(sample)


def reads_pixels(sample: dict) -> dict:
    return sample | {'image': sample['image'] // 3}


PIPELINES = {
    'their load step': [GreyPictures(), CropFace(64)],
    'their crop step': [LoadImage(), WhitePictures(64)],
    'their function between': [LoadImage(), reads_pixels, CropFace(64)],
    'no crop': [LoadImage()],
}


@pytest.mark.parametrize('name', PIPELINES)
def test_whole_pictures_where_another_step_may_read_them(name, folder, monkeypatch) -> None:
    monkeypatch.setattr(late_part, 'decode_top_rows', lambda *_: pytest.fail('rows alone'))
    assert Photographed(folder, PIPELINES[name])[0]['image'].std() > 5


def test_rows_alone_where_no_other_step_does(folder, monkeypatch) -> None:
    monkeypatch.setattr(decode, '_decode_with_opencv', lambda *_: pytest.fail('a whole picture'))
    crops = [Photographed(folder, [LoadImage(), CropFace(64)])[index]['image'] for index in range(3)]
    assert all(crop.std() > 5 for crop in crops)


def test_damaged_and_large_files_are_refused_as_before(folder) -> None:
    faces, file = Photographed(folder, [LoadImage(max_pixels=50_000), CropFace(64)]), folder / '0.jpg'
    whole = file.read_bytes()
    for content, message in (
        (whole[:-900], 'damaged or cut off'),
        (whole[:300], 'damaged'),
        (b'', 'empty'),
        (encode(noise(300, 400)), 'more than 50000'),
        (encode(noise(300, 400), 'PNG'), 'more than 50000'),
    ):
        file.write_bytes(content)
        with pytest.raises(DataDefect, match=message):
            faces[0]
    file.unlink()
    with pytest.raises(MissingResource, match='0.jpg'):
        faces[0]
