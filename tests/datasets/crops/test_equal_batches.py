"""With a crop cache, whole batches are bit-equal to those from the pictures, for the pipeline of every config."""

from pathlib import Path

import numpy as np
import pytest
from helpers.photographs import BOXES, Photographed
from mmengine import Config

from facelmk.config.folders import config_folder
from facelmk.datasets import CropFace, LoadImage, base, collate_faces
from facelmk.datasets.base import build_steps
from facelmk.datasets.crops import store
from facelmk.datasets.crops.build import CropCacheBuilder
from facelmk.datasets.crops.index import About
from facelmk.datasets.crops.reach import reach

NAMES = ('train_pipeline', 'train_pipeline_stage2', 'val_pipeline')


def pipelines() -> dict[str, list]:
    """The different pipelines of all configs, without what changes the pixels of a crop."""
    known: dict[str, list] = {}
    for file in sorted(Path(config_folder(), '_base_/augment').glob('*.py')):
        config = Config.fromfile(file)
        for name in NAMES:
            steps = [dict(step) for step in config.get(name) or ()]
            crop = next((i for i, step in enumerate(steps) if step['type'] == 'CropFace'), None)
            steps = [] if crop is None else [*steps[: crop + 1], dict(type='PackFace')]
            if steps and steps not in known.values():
                known[f'{file.stem}, {name}'] = steps
    known['boxes from landmarks'] = [
        dict(type='LoadImage'),
        dict(type='TightBox', margin=(3, 0, 3, 3), widths=(0, 0.2, 0, 0)),
        dict(type='CropFace', size=64, padding=1, rotate=20, flip=0.5),
        dict(type='PackFace'),
    ]
    known['udp'] = [
        dict(type='LoadImage'),
        dict(type='CropFace', udp=True, rotate=10, shift=0.2),
        dict(type='PackFace'),
    ]
    known['second stage'] = [
        dict(
            type='FromEpoch',
            epoch=1,
            pipeline=[dict(type='LoadImage'), dict(type='CropFace', size=64, rotate=180), dict(type='PackFace')],
            before=[dict(type='LoadImage'), dict(type='CropFace', size=64, scale=(0.5, 2)), dict(type='PackFace')],
        )
    ]
    return known


PIPELINES = pipelines()


@pytest.fixture(scope='module')
def pictures(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('pictures')
    Photographed.write(folder)
    return folder


def with_cache(steps: list, folder: Path) -> list:
    """The same steps, with LoadImage reading from a crop cache."""
    new = []
    for step in steps:
        step = dict(step)
        if step['type'] == 'LoadImage':
            step['crop_cache'] = str(folder)
        for key in ('pipeline', 'before'):
            if key in step:
                step[key] = with_cache(step[key], folder)
        new.append(step)
    return new


def batches(dataset: Photographed, epochs: int = 2) -> list[dict]:
    return [collate_faces([dataset[7, epoch, i] for i in range(len(dataset))]) for epoch in range(epochs)]


@pytest.mark.parametrize('name', PIPELINES)
def test_batches_are_equal(name, pictures, tmp_path, monkeypatch) -> None:
    plain = Photographed(pictures, PIPELINES[name])
    with monkeypatch.context() as patch:
        patch.setattr(base, 'loads_for_crop', lambda _: False)
        expected = batches(plain)  # from whole pictures
    assert_equal(expected, batches(plain))
    monkeypatch.setattr(store, 'read_image', lambda *_: pytest.fail('a whole picture was read'))
    for kind in ('raw', 'packed'):
        CropCacheBuilder(tmp_path / kind, plain, [plain.pipeline], About(kind)).build(say=lambda _: None)
        cached = batches(Photographed(pictures, with_cache(PIPELINES[name], tmp_path / kind)))
        assert_equal(expected, cached)


def assert_equal(expected: list[dict], batches: list[dict]) -> None:
    for one, other in zip(expected, batches, strict=True):
        assert np.array_equal(one['inputs'], other['inputs'])
        for key, value in one['data_samples'].items():
            np.testing.assert_array_equal(value, other['data_samples'][key], key)


def test_the_files_differ(pictures) -> None:
    """Otherwise the equality above would mean little: no crop is black or equal to another one."""
    plain = Photographed(pictures, PIPELINES['mmpose, train_pipeline'])
    inputs = batches(plain, 1)[0]['inputs'][: len(BOXES) - 1]
    assert len({one.numpy().tobytes() for one in inputs}) == len(inputs)
    assert all(one.float().std() > 5 for one in inputs)


@pytest.mark.parametrize('draw', ['uniform', 'truncnorm'])
@pytest.mark.parametrize('mirror', ['crop', 'photo', 'hrnet'])
def test_every_crop_lies_in_the_reach(draw, mirror) -> None:
    """In 170 draws with the largest possible values of most options."""
    rng = np.random.default_rng(0)
    for _ in range(10):
        size, (w, h) = int(rng.integers(16, 300)), rng.integers(20, 2000, 2).tolist()
        crop = CropFace(
            size, rng.uniform(0.5, 2), 0.5, rng.uniform(0, 180), scale=(0.5, 1.5), shift=0.3, draw=draw, mirror=mirror
        )
        low = rng.uniform(-100, 900, 2)
        box = np.array([*low, *(low + rng.uniform(5, 500, 2))], np.float32)
        whole = crop.reach({'box': box}, w, h)
        for _ in range(17):
            draws = crop._draw(rng)
            one = crop._reach_of(crop.warp(box, w, *draws), w, h)
            assert one == (0, 0, 0, 0) or (
                whole[0] <= one[0] and whole[1] <= one[1] and whole[2] >= one[2] and whole[3] >= one[3]
            )


def test_a_crop_outside_of_its_part_is_cut_from_the_picture(pictures, tmp_path) -> None:
    """A cache for small crops serves larger ones: those that it does not contain are read from the picture."""
    steps = [dict(type='LoadImage'), dict(type='CropFace', size=64, padding=1), dict(type='PackFace')]
    wide = [dict(type='LoadImage'), dict(type='CropFace', size=64, padding=2, rotate=90), dict(type='PackFace')]
    small = Photographed(pictures, steps)
    CropCacheBuilder(tmp_path, small, [small.pipeline], About('raw')).build(say=lambda _: None)
    expected = batches(Photographed(pictures, wide), 1)[0]
    assert np.array_equal(
        expected['inputs'], batches(Photographed(pictures, with_cache(wide, tmp_path)), 1)[0]['inputs']
    )


def test_half_a_face_has_a_reach_of_its_own(pictures) -> None:
    face = Photographed(pictures).face(0) | {'image': np.zeros((90, 120, 3), np.uint8)}
    face['markup'] = Photographed(pictures).markup
    face['box'] = np.array([50, 40, 52, 42], np.float32)
    whole = reach(build_steps([LoadImage(), CropFace(64)]), face, 120, 90)
    half = reach(build_steps([LoadImage(), dict(type='HalfBody'), CropFace(64)]), face, 120, 90)
    assert half[0] < whole[0] and half[3] > whole[3]
