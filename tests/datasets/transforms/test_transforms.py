"""Law L1 (points == apply(warp, landmarks)), crops compared with MMPose's, and batches."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from facelmk import geometry
from facelmk.datasets import CropFace, FaceDataset, LoadImage, PackFace, collate_faces
from facelmk.datasets.transforms.crop import resample
from facelmk.datasets.transforms.pack import split_channels
from facelmk.errors import DataDefect, FacelmkError, MissingResource
from facelmk.markups import MARKUPS
from facelmk.registry import TRANSFORMS

BOX = np.array([60, 70, 380, 400], np.float32)
REFERENCE = np.load(Path(__file__).parents[2] / 'data' / 'transforms.npz')
OF_SCENES = {'FitScene', 'PackScene'}  # a scene has boxes and no points: tests/datasets/test_scenes.py
JITTER = dict(flip=0.5, rotate=60, rotate_prob=0.6, scale=(0.75, 1.25), shift=0.16, shift_prob=0.3)


def sample(seed=0, size=(450, 500)):
    """A face on a smooth picture, so that resampling is comparable."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 256, (9, 10, 3), np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC)
    return dict(
        id='a',
        path='a.jpg',
        image=image,
        box=BOX,
        landmarks=rng.uniform(80, 370, (98, 2)).astype(np.float32),
        visible=(rng.random(98) > 0.2).astype(np.float32),
        norm=None,
        tags=('pose',),
        markup=MARKUPS['wflw'],
        epoch=0,
        rng=np.random.default_rng(seed),
    )


@pytest.mark.parametrize('draw', ['uniform', 'truncnorm'])
@pytest.mark.parametrize('mirror', ['crop', 'photo', 'hrnet'])
def test_points_are_the_warped_landmarks(draw, mirror):
    flips = 0
    for seed in range(40):
        before = sample(seed)
        after = CropFace(**JITTER, draw=draw, mirror=mirror)(dict(before))
        assert np.abs(after['points'] - geometry.apply(after['warp'], after['landmarks'])).max() == 0
        flipped = np.linalg.det(after['warp']) < 0
        order = MARKUPS['wflw'].mirror if flipped else np.arange(98)
        assert np.array_equal(after['landmarks'], before['landmarks'][order])
        assert np.array_equal(after['visible'], before['visible'][order])
        home = geometry.apply(geometry.invert(after['warp']), after['points'].astype(np.float64))
        assert np.abs(home - after['landmarks']).max() < 1e-3
        flips += flipped
    assert 10 < flips < 30


def test_every_transform_keeps_points_and_shape():
    for name in set(TRANSFORMS) - {'PackFace', *OF_SCENES}:
        step = TRANSFORMS.build(dict(type=name, **({'prob': 1.0} if hasattr(TRANSFORMS.get(name), 'change') else {})))
        after = CropFace()(step(sample())) if name == 'ShareLandmarks' else step(CropFace()(sample()))
        assert after['image'].dtype == np.uint8 and after['image'].shape == (256, 256, 3), name
        assert np.allclose(after['points'], geometry.apply(after['warp'], after['landmarks']), atol=1e-3), name


@pytest.mark.parametrize('seed', range(6))
def test_stored_parameters_give_the_points_of_mmpose(seed):
    stored = {key: REFERENCE[f'{seed}_{key}'] for key in ('flip', 'rot', 'scale', 'kpts', 'vis')}
    flip = bool(stored['flip'])
    warp = CropFace(mirror='photo').warp(BOX, 450, flip, float(stored['rot'][0]), stored['scale'][0, 0] / (330 * 1.25))
    order = MARKUPS['wflw'].mirror if flip else np.arange(98)
    points = geometry.apply(warp, REFERENCE['landmarks'][0].astype(np.float64)[order])
    assert np.abs(points - stored['kpts'][0]).max() < 1e-4
    assert np.array_equal(REFERENCE['visible'][0][order], stored['vis'][0])


def test_the_mirror_of_a_crop_is_exact():
    plain = CropFace().warp(BOX, 500)
    flipped = CropFace(mirror='crop').warp(BOX, 500, True)
    photo = CropFace(mirror='photo').warp(BOX, 500, True)
    points = np.array([[100.0, 200.0], [333.0, 90.0]])
    at, there, over = (geometry.apply(warp, points) for warp in (plain, flipped, photo))
    assert np.allclose(there[:, 0], 255 - at[:, 0]) and np.allclose(over[:, 0], 256 - at[:, 0])
    assert np.allclose(there[:, 1], at[:, 1]) and np.allclose(over[:, 1], at[:, 1])


def test_draws_keep_their_ranges_and_shares():
    crop = CropFace(**JITTER, draw='truncnorm')
    rows = [crop._draw(np.random.default_rng(i)) for i in range(4000)]
    flips, degrees, factors, offsets = (np.array(column) for column in zip(*rows, strict=True))
    assert abs(flips.mean() - 0.5) < 0.03 and abs((degrees != 0).mean() - 0.6) < 0.03
    assert abs((offsets != 0).any(1).mean() - 0.3) < 0.03
    assert np.abs(degrees).max() <= 60 and factors.min() >= 0.75 and factors.max() <= 1.25
    assert np.abs(offsets).max() <= 0.16
    # a normal cut at one sigma has standard deviation 0.5396
    assert abs(degrees[degrees != 0].std() - 60 * 0.5396) < 1.5


def test_a_mirrored_view_is_resampled_like_its_copy():
    image = sample()['image'][:, ::-1]
    warp = geometry.box_to_crop(BOX, 128)
    assert np.array_equal(resample(image, warp, 128), resample(image.copy(), warp, 128))


class Two(FaceDataset):
    """Two faces that contain their images."""

    def __len__(self):
        return 2

    def face(self, index):
        row = sample(index)
        return {key: row[key] for key in ('path', 'image', 'box', 'landmarks', 'visible', 'norm', 'tags')} | {
            'id': f'face{index}'
        }


@pytest.mark.fault('A40')
@pytest.mark.parametrize('most', [200, 70])
@pytest.mark.parametrize('box', [[20, 30, 80, 90], [-50, -50, 30, 30], [250, 100, 330, 200], [400, 400, 500, 500]])
def test_a_part_of_a_picture_that_opencv_does_not_take_is_resampled(box, most, monkeypatch):
    image = cv2.resize(np.random.default_rng(0).integers(0, 255, (8, 14, 3), np.uint8), (300, 150))
    warp = geometry.box_to_crop(np.array(box), 32, 1.25, 20)
    expected = resample(image, warp, 32)
    monkeypatch.setattr('facelmk.datasets.transforms.pixels.MOST_PX', most)
    crop = resample(image, warp, 32).astype(int)
    assert np.array_equal(crop, expected) if most == 200 else abs(crop - expected).mean() < 4  # 70: every second pixel


@pytest.mark.fault('A40')
def test_a_picture_of_60000_pixels_is_cropped():
    image = np.full((60_000, 3, 3), 200, np.uint8)
    for integer in (False, True):
        faces = FaceDataset('wflw', [CropFace(size=32, integer=integer)])
        crop = faces.pipeline[0]
        for box in ([0, 0, 3, 60_000], [0, 55_000, 3, 55_010]):
            warp = crop.warp(np.array(box), 3)
            cut = crop._cut(image, warp, np.array(box), False, 0.0, 1.0, (0.0, 0.0))
            assert cut.shape == (32, 32, 3) and (box[1] == 0 or cut.max() == 200)  # 3 pixels in 60,000 vanish


def test_draws_depend_on_seed_epoch_and_id_alone():
    data = Two('wflw', [dict(type='LoadImage'), dict(type='CropFace', **JITTER), dict(type='PackFace')])
    first, again, later, other = data[3, 5, 1], data[3, 5, 1], data[3, 6, 1], data[4, 5, 1]
    assert torch.equal(first['inputs'], again['inputs'])
    assert not torch.equal(first['inputs'], later['inputs']) and not torch.equal(first['inputs'], other['inputs'])


def test_a_batch_is_flat_and_small():
    data = Two('wflw', [LoadImage(), CropFace(64), PackFace()])
    batch = collate_faces([data[0], data[1]])
    rows = batch['data_samples']
    assert batch['inputs'].shape == (2, 3, 64, 64) and batch['inputs'].dtype == torch.uint8
    assert rows['id'] == ['face0', 'face1'] and rows['tags'] == [('pose',), ('pose',)]
    shapes = {key: tuple(rows[key].shape) for key in ('points', 'visible', 'warp', 'landmarks', 'box', 'norm')}
    assert shapes == dict(
        points=(2, 98, 2), visible=(2, 98), warp=(2, 3, 3), landmarks=(2, 98, 2), box=(2, 4), norm=(2,)
    )
    assert rows['norm'].isnan().all() and rows['warp'].dtype == torch.float64
    full = collate_faces([Two('wflw', [LoadImage(), CropFace(256), PackFace()])[0]])
    tensors = [full['inputs'], *(v for v in full['data_samples'].values() if isinstance(v, torch.Tensor))]
    assert sum(t.numel() * t.element_size() for t in tensors) < 200_000


def test_pictures_with_any_name_are_read_and_defects_are_named(tmp_path):
    file = tmp_path / 'ü face.png'
    cv2.imencode('.png', np.full((4, 5), 7, np.uint8))[1].tofile(file)
    assert LoadImage()(dict(path=file))['image'].shape == (4, 5, 3)
    (tmp_path / 'torn.jpg').write_bytes(b'\xff\xd8nothing')
    for bad, error in (('torn.jpg', DataDefect), ('absent.jpg', MissingResource)):
        with pytest.raises(error, match=bad):
            LoadImage()(dict(path=tmp_path / bad))
    with pytest.raises(FacelmkError, match='truncnorm'):
        CropFace(draw='normal')


def test_a_pipeline_without_pack_face_is_refused() -> None:
    with pytest.raises(FacelmkError, match='path, image.*dict.type=.PackFace'):
        collate_faces([Two('wflw', [LoadImage(), CropFace(32)])[0]])


@pytest.mark.parametrize('make', [np.ascontiguousarray, np.fliplr, lambda image: image[2:, 1:]])
def test_channels_come_first(make) -> None:
    image = make(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8))
    assert np.array_equal(split_channels(image), image.transpose(2, 0, 1))
